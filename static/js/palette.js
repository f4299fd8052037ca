// The search over every page. Arrow keys move the focus through the results, Enter in the field opens
// the first one, also where they are still to come, and what is typed on a result goes on in the
// field. Without scripts there is the page /search, which is also where Enter leads without a result.
(() => {
  const box = document.getElementById("palette");
  if (!box) return;
  const field = box.querySelector("input");
  const results = () => [...box.querySelectorAll("[data-result]")];
  // What the results on screen are for: Enter never opens one of an earlier text.
  let shownFor = null;
  // Enter was pressed before the results of this text were there.
  let enteredFor = null;
  const form = box.querySelector("form");

  const open = () => {
    if (document.querySelector("dialog[open]")) return;
    box.showModal();
    field.select();
    field.dispatchEvent(new Event("palette:refresh"));
  };
  const step = (by) => {
    const stops = [field, ...results()];
    const at = Math.max(0, stops.indexOf(document.activeElement));
    stops[(at + by + stops.length) % stops.length].focus();
  };

  document.addEventListener("click", (event) => {
    if (!event.target.closest?.("[data-search-open]") || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    open();
  });
  document.addEventListener("keydown", (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.altKey || event.key.toLowerCase() !== "k") return;
    event.preventDefault();
    if (box.open) box.close();
    else open();
  });
  document.addEventListener("palette:ask", open);

  box.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown") step(1);
    else if (event.key === "ArrowUp") step(-1);
    // A search field would only be emptied by it.
    else if (event.key === "Escape") box.close();
    else if (event.target !== field && event.key.length === 1 && !event.ctrlKey && !event.metaKey) {
      field.focus();
      return;
    } else return;
    event.preventDefault();
  });
  form.addEventListener("submit", (event) => {
    const typed = field.value.trim();
    const [first] = results();
    if (shownFor !== typed) {
      event.preventDefault();
      enteredFor = typed;
      field.dispatchEvent(new Event("palette:refresh"));
    } else if (first) {
      event.preventDefault();
      first.click();
    }
  });
  const giveUp = () => {
    enteredFor = null;
  };
  field.addEventListener("input", giveUp);
  box.addEventListener("close", giveUp);
  const failed = (event) => {
    if (event.detail.ctx?.sourceElement === field && enteredFor !== null) form.submit();
  };
  document.addEventListener("htmx:error", failed);
  document.addEventListener("htmx:response:error", failed);
  document.addEventListener("htmx:config:request", (event) => {
    const { ctx } = event.detail;
    if (ctx.sourceElement === field) ctx.typed = field.value.trim();
  });
  document.addEventListener("htmx:after:swap", (event) => {
    const { ctx } = event.detail;
    if (ctx.sourceElement !== field || !(ctx.response?.status < 400)) return;
    shownFor = ctx.typed;
    window.announce(box.querySelector("[data-count]")?.textContent.trim() ?? "");
    if (enteredFor === shownFor) form.requestSubmit();
  });
})();
