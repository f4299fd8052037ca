// `node orders.ts ADDRESS TOKEN`: place, approve and page with the generated types and openapi-fetch.
// Prints what came back as JSON.
import createClient from "openapi-fetch";
import type { components, paths } from "./schema.d.ts";

declare const process: { argv: string[] };

const [baseUrl, token] = process.argv.slice(2);
const client = createClient<paths>({ baseUrl, headers: { Authorization: `Bearer ${token}` } });

for (let number = 0; number < 3; number += 1) {
  const body: components["schemas"]["PlaceOrder"] = {
    order_id: `TS-${number}`,
    country: "France",
    currency: "EUR",
    lines: [{ sku: "85123A", quantity: 6, unit_price: "2.55" }],
  };
  const params = { header: { "Idempotency-Key": `TS ${number}` } };
  for (let time = 0; time < 2; time += 1) {
    const { error } = await client.POST("/commands/PlaceOrder", { body, params });
    if (error) throw new Error(error.detail);
  }
}
const approve = (order_id: string) => client.POST("/commands/ApproveOrder", { body: { order_id } });
const approved = (await approve("TS-1")).data;
if (!approved || !("version" in approved)) throw new Error("no receipt");
const refused = (await approve("TS-1")).error;
const commands = [{ command: "ApproveOrder", fields: { order_id: "TS-2" } }];
const batch = await client.POST("/commands", { body: { commands } });
const last = batch.data?.results[0]?.receipt;
if (!last) throw new Error("no receipt of the batch");

const rows: [string, string, string][] = [];
const min_version = `${last.stream}:${last.version}`;
for (let after = ""; ; ) {
  const query = { limit: 2, after, min_version, wait_ms: 10_000 };
  const page = (await client.GET("/queries/ListOrders", { params: { query } })).data;
  if (!page) throw new Error("no page");
  rows.push(...page.value.rows.map((row): [string, string, string] => [row.order_id, row.status, row.total]));
  if (!page.value.next) break;
  after = page.value.next;
}
const types = ["OrderPlaced", "OrderApproved"];
const feed = await client.GET("/events", { params: { query: { types } } });
const events = (feed.data?.events ?? []).flatMap((event) =>
  event.type === "OrderPlaced" || event.type === "OrderApproved"
    ? [[event.type, event.data?.order_id]]
    : [],
);
console.log(
  JSON.stringify({ receipt: approved.events, refusal: refused?.code, rows: rows.sort(), events }),
);
