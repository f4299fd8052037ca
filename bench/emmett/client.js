// `node client.js STREAMS`: a client process (see bench/clients/slices.py) of Emmett with its default
// settings, on DATABASE_URL. One step is its command handler: read the stream, append one event.
import { createInterface } from 'node:readline';
import { CommandHandler } from '@event-driven-io/emmett';
import { getPostgreSQLEventStore } from '@event-driven-io/emmett-postgresql';

const store = getPostgreSQLEventStore(process.env.DATABASE_URL);
await store.schema.migrate();

const handle = CommandHandler({
  evolve: (state, event) => (event.type === 'NoteAdded' ? { notes: state.notes + 1 } : state),
  initialState: () => ({ notes: 0 }),
});
const place = () => ({ type: 'OrderPlaced', data: { country: 'France' } });
const note = () => ({ type: 'NoteAdded', data: { note: 'Mind the dog.' } });

const streams = Array.from({ length: Number(process.argv[2]) }, (_, number) => `order-${number}`);
for (const stream of streams) await handle(store, stream, place);
let next = 0;

console.log('ready');
for await (const line of createInterface({ input: process.stdin })) {
  const milliseconds = Number(line.split(' ')[1]) * 1000;
  const started = performance.now();
  let count = 0;
  let elapsed = 0;
  while ((elapsed = performance.now() - started) < milliseconds) {
    await handle(store, streams[next], note);
    next = (next + 1) % streams.length;
    count += 1;
  }
  console.log((count / elapsed) * 1000);
}
await store.close();
