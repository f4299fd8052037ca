// Single-key shortcuts. They can be switched off in the list that "?" opens (WCAG 2.1.4), and
// never act while someone types.
(() => {
  // The links of the navigation say which key leads to them; a place without a link is not open.
  const placeOf = (key) => document.querySelector(`[data-key="${CSS.escape(key)}"]`);
  const read = () => {
    try {
      return localStorage.getItem("keys") !== "off";
    } catch {
      return true;
    }
  };
  let on = read();
  let goingUntil = 0;

  const typing = (element) =>
    element.matches?.("input, select, textarea, [contenteditable]") &&
    !element.matches("[type=checkbox], [type=radio]");
  const rows = () => [...document.querySelectorAll("main [data-row]")];

  const step = (by) => {
    const links = rows();
    if (!links.length) return;
    const row = document.activeElement.closest?.("tr");
    const at = row ? links.findIndex((link) => row.contains(link)) : -1;
    const to = at < 0 ? 0 : Math.min(links.length - 1, Math.max(0, at + by));
    links[to].focus();
    links[to].scrollIntoView({ block: "nearest" });
  };

  const act = (key) => {
    if (performance.now() < goingUntil && placeOf(key)) {
      goingUntil = 0;
      placeOf(key).click();
      return true;
    }
    goingUntil = 0;
    if (key === "g") goingUntil = performance.now() + 1200;
    else if (key === "j") step(1);
    else if (key === "k") step(-1);
    else if (key === "r") document.querySelector("[data-live-switch]")?.click();
    else if (key === "/") document.dispatchEvent(new Event("palette:ask"));
    else if (key === "?") document.getElementById("shortcuts")?.showModal();
    else return false;
    return true;
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
    if (document.querySelector("dialog[open]")) return;
    if (!on) return;
    if (act(event.key)) event.preventDefault();
  });

  const box = document.querySelector("[data-keys-switch]");
  if (box) {
    box.checked = on;
    box.addEventListener("change", () => {
      on = box.checked;
      try {
        localStorage.setItem("keys", on ? "on" : "off");
      } catch {
        // holds for this page only
      }
    });
  }
  document.addEventListener("click", (event) => {
    if (event.target.closest?.("[data-keys-open]")) document.getElementById("shortcuts").showModal();
  });
})();
