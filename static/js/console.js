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
  // What a form asks while it is filled in: when that fails, no action has.
  const isAside = (ctx) => ctx?.sourceElement?.id === "effects";

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
  // panel: a menu or a form in it. What is pending goes on, because it ends by itself; so does the
  // poll of the banners, which shows that the console answers.
  const POLL_TIMEOUT = 10_000;
  const SLOW = 5_000;
  const busy = (panel) =>
    panel.contains(document.activeElement) &&
    document.activeElement.matches("input, select, textarea");
  const waits = (panel) => {
    if (panel.dataset.poll === "always") return false;
    const stopped = !live && panel.dataset.poll !== "pending";
    return stopped || dialog()?.open || busy(panel) || aiming(panel);
  };
  // Nothing moves under a pointer on its way to a button.
  const AIM = 1_500;
  let aimed = { at: -AIM, place: null };
  document.addEventListener("pointermove", (event) => {
    const place = event.target.closest?.(".actions");
    if (place) aimed = { at: performance.now(), place };
  });
  const aiming = (panel) =>
    panel.contains(aimed.place) && performance.now() - aimed.at < AIM;
  document.addEventListener("htmx:config:request", (event) => {
    const { ctx } = event.detail;
    if (isAside(ctx)) {
      // Asked for while the form was filled in, which is sent or given up now.
      const form = ctx.sourceElement.closest("form");
      if (!form?.isConnected || form.matches(".htmx-request")) event.preventDefault();
      return;
    }
    if (!isPoll(ctx)) {
      ctx.slow = setTimeout(() => tell("The console has not answered yet."), SLOW);
    } else if (document.hidden || waits(ctx.sourceElement)) {
      event.preventDefault();
    } else {
      ctx.request.timeout = POLL_TIMEOUT;
    }
  });
  document.addEventListener("htmx:finally:request", (event) => clearTimeout(event.detail.ctx.slow));

  // Failures --------------------------------------------------------------------------------
  const sentence = (ctx) => {
    const page = ctx?.text ? new DOMParser().parseFromString(ctx.text, "text/html") : null;
    const told = page?.querySelector("[data-error-text]")?.textContent.trim();
    if (told) return told;
    return ctx?.response
      ? `The console answered with an error (${ctx.response.status}).`
      : "The console could not be reached.";
  };
  const places = () => document.querySelectorAll("[data-failure]");
  const tell = (text) => {
    const template = document.getElementById("request-failed");
    const place =
      (dialog()?.open && document.querySelector("#dialog [data-failure]")) || places()[0];
    if (!template || !place) return;
    const notice = template.content.cloneNode(true);
    notice.querySelector("[data-sentence]").textContent = text;
    place.replaceChildren(notice);
  };
  // Why the page as a whole is not followed any more: a sentence that `why` makes of the notice's
  // texts, or nothing.
  const notFollowed = (why) => {
    const notice = document.getElementById("not-followed");
    if (!notice) return;
    notice.hidden = !why;
    notice.querySelector("[data-sentence]").textContent = why?.(notice.dataset) ?? "";
    const main = document.getElementById("main");
    if (why) main.dataset.refresh = "failed";
    else delete main.dataset.refresh;
  };
  const failed = (event) => {
    const { ctx } = event.detail;
    if (!ctx || isAside(ctx)) return;
    const status = ctx.response?.status;
    if (isPoll(ctx)) {
      ctx.sourceElement.dataset.refresh = "failed";
      if (ctx.sourceElement.id === "banners") {
        const answer = ctx.response && sentence(ctx);
        notFollowed((texts) => `${answer || texts.noAnswer} ${texts.kept}`);
      }
    } else if (status !== 422 && status !== 409 && status !== 401) tell(sentence(ctx));
  };
  document.addEventListener("htmx:response:error", failed);
  document.addEventListener("htmx:error", failed);
  // A page that is current stays so with each answer to a poll of it, also where nothing is new.
  const asOf = (ctx) => {
    const mark = document.querySelector("[data-page-fresh]");
    const time = mark?.querySelector(".fresh-current time");
    const date = new Date(ctx.response.headers.get("Date"));
    if (!time || ctx.sourceElement.id === "banners" || Number.isNaN(date.getTime())) return;
    const timeZone = mark.dataset.pageFresh;
    time.textContent = date.toLocaleTimeString("en-GB", { timeZone });
    time.dateTime = date.toISOString();
    time.title = `${date.toISOString().slice(0, 19).replace("T", " ")} UTC`;
  };
  document.addEventListener("htmx:after:request", (event) => {
    const { ctx } = event.detail;
    if (isAside(ctx) || !(ctx.response?.status < 400)) return;
    if (isPoll(ctx)) {
      delete ctx.sourceElement.dataset.refresh;
      asOf(ctx);
      if (ctx.sourceElement.id === "banners") notFollowed();
    } else for (const place of places()) place.replaceChildren();
  });
  // Whoever was signed out is sent to sign in, but not away from what they typed.
  document.addEventListener("htmx:before:response", (event) => {
    const { ctx } = event.detail;
    if (!(isPoll(ctx) || isAside(ctx)) || ctx.response.status !== 401) return;
    if (![...document.forms].some((form) => window.drafts.typed(form))) return;
    event.preventDefault();
    notFollowed((texts) => texts.signedOut);
  });

  // Changes ---------------------------------------------------------------------------------
  // What a poll changes is said to whoever cannot see it, and the focus stays in its place: where
  // the focused element is gone, on the heading of what it was in.
  // The one polite live region: the page's, or that of the dialog over it.
  window.announce = (text) => {
    const region =
      document.querySelector("dialog[open] [data-announcer]") ??
      document.querySelector("[data-announcer]");
    if (region) region.textContent = text;
  };
  const spoken = (panel) =>
    [...(panel?.querySelectorAll("[data-announce]") ?? [])]
      .map((part) => part.textContent.replace(/\s+/g, " ").trim().replace(/\.$/, ""))
      .join(". ");
  const around = (element) => {
    const ids = [];
    for (let each = element?.parentElement; each; each = each.parentElement) {
      if (each.id) ids.push(each.id);
    }
    return ids;
  };
  const focusNear = (ids) => {
    const place = ids.map((id) => document.getElementById(id)).find(Boolean);
    const heading = place?.querySelector("h1, h2") ?? place;
    if (!heading) return;
    heading.tabIndex = -1;
    heading.focus({ preventScroll: true });
  };
  const intoOf = (ctx) => ctx.target?.id ?? String(ctx.target).slice(1);
  document.addEventListener("htmx:before:swap", (event) => {
    const { ctx } = event.detail;
    ctx.before = {
      around: around(document.activeElement),
      focusAfter: ctx.sourceElement?.dataset?.focusAfter ?? "",
      spoken: spoken(document.getElementById(intoOf(ctx))),
    };
  });
  document.addEventListener("htmx:after:swap", (event) => {
    const { ctx } = event.detail;
    if (ctx.before?.around.length && document.activeElement === document.body) {
      focusNear(ctx.before.around);
    }
    const undone = document.getElementById(ctx.before?.focusAfter);
    if (undone) undone.focus();
    else if (ctx.request?.method === "POST") document.querySelector("[data-undo]")?.focus();
  });

  // Dialogs ---------------------------------------------------------------------------------
  // A command's form is fetched into the dialog. It stays while the answer replaces the form
  // (errors, a conflict, one more line) and closes once the answer went to the page behind it.
  let opener = null;
  let openerIn = [];
  document.addEventListener("htmx:after:swap", (event) => {
    const { ctx } = event.detail;
    const box = dialog();
    const into = intoOf(ctx);
    if (!box) return;
    if (into === "dialog-body") {
      if (!box.open) {
        const { activeElement } = document;
        opener = activeElement === document.body ? ctx.sourceElement : activeElement;
        openerIn = around(opener);
        box.showModal();
      }
      box.querySelector("[autofocus]")?.focus();
      window.drafts.restore(box.querySelector("form"));
    } else if (into === "command") {
      window.drafts.renewTokens();
      box.querySelector("[autofocus]")?.focus();
    } else if (into && box.querySelector(`#${CSS.escape(into)}`)) {
      // a part of the dialog
    } else if (box.open && ctx.request?.method === "POST" && ctx.response.status < 300) {
      window.drafts.forget(box.querySelector("form"));
      box.close();
    }
  });
  // Last, when no dialog hides the page's live region any more: what was done, and what of the panel
  // reads otherwise now, as one message.
  document.addEventListener("htmx:after:swap", (event) => {
    const { ctx } = event.detail;
    const done = decodeURIComponent(ctx.response?.headers?.get("Announce") ?? "");
    const now = spoken(document.getElementById(intoOf(ctx)));
    const changed = now === ctx.before?.spoken ? "" : now;
    if (done || changed) window.announce([done, changed].filter(Boolean).join(" "));
  });
  document.addEventListener(
    "close",
    (event) => {
      if (event.target.id !== "dialog") return;
      document.getElementById("dialog-body").replaceChildren();
      // An action in a menu was chosen there: the menu is closed, and its button has the focus.
      const menu = opener?.closest?.("details.menu");
      if (menu) menu.open = false;
      const place = menu?.querySelector("summary") ?? opener;
      if (place?.isConnected && place !== document.body) place.focus();
      if (document.activeElement === document.body) focusNear([...openerIn, "main"]);
    },
    true,
  );

  // What can only be copied is selected as soon as it is reached.
  document.addEventListener("focusin", (event) => {
    if (event.target.matches?.("input[readonly]")) event.target.select();
  });

  const copy = async (button) => {
    const place = document.getElementById(button.dataset.copy);
    try {
      await navigator.clipboard.writeText(place.value ?? place.innerText);
      button.querySelector("span").textContent = "Copied";
      window.announce("Copied");
    } catch {
      // The browser does not allow it, as on a page without TLS: the person copies what is selected.
      if (place.select) place.select();
      else getSelection().selectAllChildren(place);
      window.announce("Selected. Copy it with the keyboard.");
    }
  };

  // Clicks ----------------------------------------------------------------------------------
  document.addEventListener("click", (event) => {
    const hit = (selector) => event.target.closest?.(selector);
    if (hit("[data-theme-switch]")) nextTheme();
    else if (hit("[data-live-switch]")) switchLive();
    else if (hit("[data-print]")) window.print();
    else if (hit("[data-copy]")) copy(hit("[data-copy]"));
    else if (hit("[data-close]")) {
      const box = hit("dialog");
      if (box) {
        event.preventDefault();
        window.drafts.forget(box.querySelector("form"));
        box.close();
      }
    } else if (event.target.tagName === "DIALOG") {
      // On the backdrop, where a click may be a slip.
      if (!window.drafts.typed(event.target.querySelector("form"))) event.target.close();
    }
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

  // The chosen one of tabs that are wider than a phone.
  const chosen = document.querySelector(".stage-tabs [aria-current]");
  if (chosen) chosen.parentElement.scrollLeft = chosen.offsetLeft - chosen.parentElement.offsetWidth / 3;

  // The current place in a navigation that is higher than the window.
  document.querySelector(".side nav [aria-current]")?.scrollIntoView({ block: "nearest" });

  nameTheme();
  nameLive();
})();
