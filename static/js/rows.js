// A click on a row opens what its first link leads to; with Ctrl or the middle button, in another tab.
// Links and controls in the row keep their own click, and text can still be selected.
(() => {
  const OWN = "a, button, input, select, label, summary, [contenteditable]";
  const open = (event) => {
    const row = event.target.closest?.("main tr");
    const link = row?.querySelector("[data-row]");
    if (!link || event.target.closest(OWN)) return;
    if (event.button === 1 || event.ctrlKey || event.metaKey) window.open(link.href);
    else if (event.button === 0 && !String(getSelection())) link.click();
  };
  document.addEventListener("click", open);
  document.addEventListener("auxclick", open);
})();
