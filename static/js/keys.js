// Single-key shortcuts. They can be switched off in the list that "?" opens, for every session of the
// operator (WCAG 2.1.4), and never act while someone types.
(() => {
  const COMMANDS = { a: "ApproveOrder", h: "HoldOrder", s: "ShipOrder", n: "AddOrderNote" };
  const box = document.querySelector("[data-keys-switch]");
  const go = document.getElementById("go");
  // Whether there is such an element to click. A panel that was just swapped may wait for htmx to process
  // it; a click before that would open the link's page instead of its dialog.
  const click = (selector) => {
    const found = document.querySelector(selector);
    if (found) window.htmx?.process(found);
    found?.click();
    return Boolean(found);
  };

  // Of the actions that rows wait for, the last one asked for.
  const newest = (selector) =>
    [...document.querySelectorAll(selector)]
      .sort((a, b) => (a.dataset.undoRow < b.dataset.undoRow ? -1 : 1))
      .at(-1);

  const typing = (element) =>
    element.matches?.("input, select, textarea, [contenteditable]") &&
    !element.matches("[type=checkbox], [type=radio]");
  const rowOf = (element) =>
    element.closest?.("[data-row]") ?? element.closest?.("tr")?.querySelector("[data-row]");

  const step = (by) => {
    const links = [...document.querySelectorAll("main [data-row]")];
    if (!links.length) return;
    const at = links.indexOf(rowOf(document.activeElement));
    const to = at < 0 ? 0 : Math.min(links.length - 1, Math.max(0, at + by));
    links[to].focus();
    links[to].scrollIntoView({ block: "nearest" });
  };

  // The filters of a list: those behind "More" where there are such.
  const filter = () => {
    const form = document.querySelector("form.filters");
    const more = form?.querySelector(".filter-more");
    if (more) more.open = true;
    (more ?? form)?.querySelector("input:not([type=hidden]), select")?.focus();
  };

  // Why an action is unavailable, shown where the page lists it and announced.
  const explain = (command) => {
    const button = document.getElementById(`not-${command}`);
    if (!button) {
      // For view-only access there is one sentence in the place of the actions.
      window.announce(document.querySelector(".order-actions > p")?.textContent ?? "");
      return;
    }
    button.closest("details").open = true;
    button.closest("li").scrollIntoView({ block: "nearest" });
    const whys = button.getAttribute("aria-describedby").split(" ");
    const words = whys.map((id) => document.getElementById(id).textContent);
    window.announce([`${button.textContent} is unavailable.`, ...words].join(" "));
  };

  // The row that has the focus; without one, the page, then all that match, then none.
  const pick = () => {
    const box = document.activeElement.closest("tr")?.querySelector("[data-pick]");
    const page = document.querySelector("[data-pick-all]");
    if (box) box.click();
    else if (!page?.checked || !click("[data-select-everything]:not([hidden])")) page?.click();
  };

  // For what is selected, its button; on a row its form opens; on the page of one order, what its
  // button does.
  const send = (command) => {
    if (document.querySelector("[data-selection][data-on]")) {
      if (!click(`[data-selection] button[value="${command}"]`))
        window.announce("This is not possible for what is selected.");
      return;
    }
    const row = rowOf(document.activeElement);
    const form = row?.closest("[data-form]")?.dataset.form;
    if (!form) {
      if (!click(`#do-${command}`)) explain(command);
      return;
    }
    const address = form
      .replace("COMMAND", command)
      .replace("NUMBER", encodeURIComponent(row.textContent.trim()));
    const place = { target: "#dialog-body", swap: "innerHTML" };
    const version = row.dataset.version;
    if (!row.closest("[data-at-once]").dataset.atOnce.split(" ").includes(command)) {
      window.htmx.ajax("GET", `${address}&expected_version=${version}`, place);
      return;
    }
    const csrf_token = document.querySelector("input[name=csrf_token]").value;
    const order_id = row.textContent.trim();
    const values = { csrf_token, order_id, expected_version: version };
    window.htmx.ajax("POST", address, { ...place, values });
  };

  // On a row: claim the order, or release the claim; on the page of one order, what its button does.
  const claim = () => {
    const row = rowOf(document.activeElement);
    const address = row?.closest("[data-claims]")?.dataset.claims;
    if (!address) {
      click("[data-claim]");
      return;
    }
    const verb = "claimed" in row.dataset ? "release" : "claim";
    const order = encodeURIComponent(row.textContent.trim());
    const csrf_token = document.querySelector("input[name=csrf_token]").value;
    const shown = { target: "#orders-table", swap: "outerMorph", values: { csrf_token } };
    window.htmx.ajax("POST", address.replace("NUMBER", order).replace(/claim$/, verb), shown);
  };

  const act = (key) => {
    if (key === "g") go?.showModal();
    else if (key === "j") click('[data-queue="next"]') || click('[rel="next"][data-neighbour]') || step(1);
    else if (key === "k") click('[rel="prev"][data-neighbour]') || step(-1);
    else if (key === "u") click("[data-up]");
    else if (key === "f") filter();
    else if (key === "z") click("[data-undo]") || newest("[data-undo-row]")?.click();
    else if (key in COMMANDS) send(COMMANDS[key]);
    else if (key === "c") claim();
    else if (key === "w") click('[data-queue="start"]');
    else if (key === "d") click('[data-queue="skip"]');
    else if (key === "x") pick();
    else if (key === "r") click("[data-live-switch]");
    else if (key === "/") document.dispatchEvent(new Event("palette:ask"));
    else if (key === "?") document.getElementById("shortcuts")?.showModal();
    else return false;
    return true;
  };

  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      const anywhere = event.target === document.body && !document.querySelector("dialog[open]");
      const form = event.target.form ?? (anywhere && document.querySelector("main [data-main]"));
      if (form?.method !== "post") return;
      event.preventDefault();
      form.requestSubmit();
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
    if (go?.open) {
      const place = go.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
      if (!place) return;
      event.preventDefault();
      place.click();
      return;
    }
    if (document.querySelector("dialog[open]") || !box?.checked) return;
    if (act(event.key)) event.preventDefault();
  });

  document.addEventListener("click", (event) => {
    if (event.target.closest?.("[data-keys-open]")) document.getElementById("shortcuts").showModal();
  });
})();
