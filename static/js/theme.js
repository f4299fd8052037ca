// Runs before anything is drawn, so that the page never flashes in the wrong theme.
(() => {
  const root = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)");

  const stored = () => {
    try {
      return localStorage.getItem("theme") || "auto";
    } catch {
      return "auto"; // storage may be forbidden; the system's choice still works
    }
  };

  const apply = () => {
    const choice = stored();
    const dark = choice === "dark" || (choice === "auto" && system.matches);
    root.dataset.theme = dark ? "dark" : "light";
    root.dataset.themeChoice = choice;
  };

  root.dataset.scripts = "on";
  apply();
  system.addEventListener("change", apply);
  document.addEventListener("theme:changed", apply);
})();
