// Enhancements of the whole console: theme, live updates, dialogs, menus, and a sentence for every
// request that fails. Each page works without this file.
(() => {
  const remember = (name, value) => {
    try {
      localStorage.setItem(name, value);
    } catch {
      // not remembered, but still in effect on this page
    }
  };
  const recall = (name) => {
    try {
      return localStorage.getItem(name);
    } catch {
      return null;
    }
  };
  const root = document.documentElement;
  const dialog = () => document.getElementById("dialog");
  const isPoll = (ctx) => ctx?.sourceEvent?.type === "every";

  // Theme -----------------------------------------------------------------------------------
  const THEMES = ["auto", "light", "dark"];
  const nameTheme = () => {
    const choice = root.dataset.themeChoice || "auto";
    for (const button of document.querySelectorAll("[data-theme-switch]")) {
      button.setAttribute("aria-label", `Theme: ${choice}. Change theme`);
      button.title = `Theme: ${choice}`;
      for (const icon of button.querySelectorAll("[data-theme-icon]")) {
        icon.toggleAttribute("hidden", icon.dataset.themeIcon !== choice);
      }
    }
  };
  const nextTheme = () => {
    const choice = root.dataset.themeChoice || "auto";
    remember("theme", THEMES[(THEMES.indexOf(choice) + 1) % THEMES.length]);
    document.dispatchEvent(new Event("theme:changed"));
    nameTheme();
  };

  // Live updates ----------------------------------------------------------------------------
  let live = recall("live") !== "off";
  const nameLive = () => {
    for (const button of document.querySelectorAll("[data-live-switch]")) {
      const text = live ? "Pause live updates" : "Resume live updates";
      button.setAttribute("aria-label", text);
      button.setAttribute("aria-pressed", String(!live));
      button.title = text;
      for (const icon of button.querySelectorAll("[data-live-icon]")) {
        icon.toggleAttribute("hidden", (icon.dataset.liveIcon === "on") !== live);
      }
    }
  };
  const switchLive = () => {
    live = !live;
    remember("live", live ? "on" : "off");
    nameLive();
  };

  // A poll waits while nobody looks, while updates are paused, and while someone works in the
  // panel: a menu or a form in it. What is pending goes on, because it ends by itself.
  const busy = (panel) =>
    panel.contains(document.activeElement) &&
    document.activeElement.matches("input, select, textarea");
  document.addEventListener("htmx:config:request", (event) => {
    const { ctx } = event.detail;
    if (!isPoll(ctx)) return;
    const panel = ctx.sourceElement;
    const stopped = !live && panel.dataset.poll !== "pending";
    if (document.hidden || stopped || dialog()?.open || busy(panel)) event.preventDefault();
  });

  // Failures --------------------------------------------------------------------------------
  const sentence = (ctx) => {
    const page = ctx?.text ? new DOMParser().parseFromString(ctx.text, "text/html") : null;
    const told = page?.querySelector("[data-error-text]")?.textContent.trim();
    if (told) return told;
    return ctx?.response
      ? `The console answered with an error (${ctx.response.status}).`
      : "The console could not be reached.";
  };
  const tell = (text) => {
    const template = document.getElementById("request-failed");
    const place =
      (dialog()?.open && document.querySelector("#dialog [data-failure]")) ||
      document.querySelector("[data-failure]");
    if (!template || !place) return;
    const notice = template.content.cloneNode(true);
    notice.querySelector("[data-sentence]").textContent = text;
    place.replaceChildren(notice);
  };
  const failed = (event) => {
    const { ctx } = event.detail;
    if (!ctx) return;
    const status = ctx.response?.status;
    if (isPoll(ctx)) ctx.sourceElement.dataset.refresh = "failed";
    else if (status !== 422 && status !== 409) tell(sentence(ctx));
  };
  document.addEventListener("htmx:response:error", failed);
  document.addEventListener("htmx:error", failed);
  document.addEventListener("htmx:after:request", (event) => {
    const { ctx } = event.detail;
    if (isPoll(ctx) && ctx.response?.status < 400) delete ctx.sourceElement.dataset.refresh;
  });

  // Dialogs ---------------------------------------------------------------------------------
  // A command's form is fetched into the dialog. It stays while the answer replaces the form
  // (errors, a conflict, one more line) and closes once the answer went to the page behind it.
  let opener = null;
  document.addEventListener("htmx:after:swap", (event) => {
    const { ctx } = event.detail;
    const box = dialog();
    const into = ctx.target?.id ?? String(ctx.target).slice(1);
    if (!box) return;
    if (into === "dialog-body") {
      if (!box.open) {
        opener = document.activeElement;
        box.showModal();
      }
      box.querySelector("[autofocus]")?.focus();
    } else if (box.open && ctx.request?.method === "POST" && ctx.response.status < 300) {
      if (into !== "command") box.close();
    }
  });
  document.addEventListener(
    "close",
    (event) => {
      if (event.target.id !== "dialog") return;
      document.getElementById("dialog-body").replaceChildren();
      const back = opener?.isConnected ? opener : document.getElementById("main");
      back?.focus();
    },
    true,
  );

  // What can only be copied is selected as soon as it is reached.
  document.addEventListener("focusin", (event) => {
    if (event.target.matches?.("input[readonly]")) event.target.select();
  });

  // Clicks ----------------------------------------------------------------------------------
  document.addEventListener("click", (event) => {
    const hit = (selector) => event.target.closest?.(selector);
    if (hit("[data-theme-switch]")) nextTheme();
    else if (hit("[data-live-switch]")) switchLive();
    else if (hit("[data-close]")) {
      const box = hit("dialog");
      if (box) {
        event.preventDefault();
        box.close();
      }
    } else if (event.target.tagName === "DIALOG") event.target.close(); // on the backdrop
    for (const menu of document.querySelectorAll("details.menu[open]")) {
      if (!menu.contains(event.target)) menu.open = false;
    }
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const menu of document.querySelectorAll("details.menu[open]")) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
  });

  nameTheme();
  nameLive();
})();
