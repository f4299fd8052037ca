// Selecting rows of a list for a batch: boxes, ranges with Shift, all on the page, all that match. What is
// selected stays selected while the table is refreshed.
(() => {
  const bar = document.querySelector("[data-selection]");
  if (!bar) return;
  const chosen = new Map();
  const everything = document.createElement("input");
  Object.assign(everything, { type: "hidden", name: "everything", value: "1", disabled: true });
  bar.append(everything);
  const count = bar.querySelector("[data-selected-count]");
  const all = bar.querySelector("[data-select-everything]");
  const boxes = () => [...document.querySelectorAll("[data-pick]")];
  const idOf = (box) => box.value.slice(0, box.value.lastIndexOf("@"));
  let last = null;
  let asking = 0;

  const offer = () => {
    clearTimeout(asking);
    if (!chosen.size) return;
    asking = setTimeout(async () => {
      const sent = new URLSearchParams({
        csrf_token: bar.elements.csrf_token.value,
        what: bar.elements.what.value,
      });
      for (const value of chosen.values()) sent.append("item", value);
      if (!everything.disabled) sent.set("everything", "1");
      const answer = await fetch(bar.dataset.offers, { method: "POST", body: sent }).catch(() => null);
      // Without an answer all actions stay offered: the check that follows says which are possible.
      if (answer?.ok) bar.querySelector("#batch-offers").outerHTML = await answer.text();
    }, 250);
  };

  const show = () => {
    const on = boxes();
    for (const box of on) box.checked = chosen.has(idOf(box));
    const head = document.querySelector("[data-pick-all]");
    const here = on.filter((box) => box.checked).length;
    if (head) {
      head.checked = here > 0 && here === on.length;
      head.indeterminate = here > 0 && here < on.length;
    }
    bar.toggleAttribute("data-on", chosen.size > 0);
    const whole = everything.disabled ? chosen.size : all.dataset.count;
    count.textContent = chosen.size ? `${whole} selected` : "";
    all.hidden = !everything.disabled || !("more" in all.dataset);
  };

  const set = (box, to) => {
    if (to) chosen.set(idOf(box), box.value);
    else chosen.delete(idOf(box));
  };

  const changed = () => {
    everything.disabled = true;
    show();
    offer();
  };

  document.addEventListener("click", (event) => {
    const box = event.target.closest?.("[data-pick]");
    if (!box) return;
    const on = boxes();
    const from = event.shiftKey && last ? on.findIndex((each) => idOf(each) === last) : -1;
    const to = on.indexOf(box);
    const range = from < 0 ? [box] : on.slice(Math.min(from, to), Math.max(from, to) + 1);
    for (const each of range) set(each, box.checked);
    last = idOf(box);
    changed();
  });

  document.addEventListener("change", (event) => {
    if (!event.target.matches?.("[data-pick-all]")) return;
    for (const box of boxes()) set(box, event.target.checked);
    changed();
  });

  all.addEventListener("click", () => {
    everything.disabled = false;
    show();
    offer();
  });

  bar.querySelector("[data-select-none]").addEventListener("click", () => {
    chosen.clear();
    changed();
  });

  // Rows of other pages are sent too: their boxes are not on this page.
  bar.addEventListener("submit", () => {
    const here = new Set(boxes().map(idOf));
    for (const [id, value] of chosen) {
      if (here.has(id)) continue;
      const field = document.createElement("input");
      Object.assign(field, { type: "hidden", name: "item", value });
      bar.append(field);
    }
  });

  document.addEventListener("htmx:after:swap", show);
  show();
})();
