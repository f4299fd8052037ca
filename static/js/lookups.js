// Fields whose values are found while they are typed (data-lookup), as a combobox with a list:
// https://www.w3.org/WAI/ARIA/apg/patterns/combobox/. A chosen value fills in the fields that follow
// from it, as long as nobody has written anything else there.
(() => {
  const PAUSE = 150;
  const states = new WeakMap();
  const isLookup = (element) => element.matches?.("[data-lookup]");

  const stateOf = (input) => {
    if (!states.has(input)) states.set(input, { list: listFor(input), known: null, at: -1 });
    return states.get(input);
  };
  // What it is, before it is reached for the first time.
  const name = (input) => {
    input.role = "combobox";
    input.setAttribute("aria-autocomplete", "list");
    input.setAttribute("aria-expanded", "false");
  };
  const listFor = (input) => {
    const list = document.createElement("ul");
    list.id = `${input.id}-choices`;
    list.className = "choices-list";
    list.role = "listbox";
    list.hidden = true;
    list.setAttribute("aria-label", "Suggestions");
    input.after(list);
    name(input);
    input.setAttribute("aria-controls", list.id);
    list.addEventListener("mousedown", (event) => {
      event.preventDefault(); // the field keeps the focus
      const option = event.target.closest("li");
      if (option) choose(input, option);
    });
    return list;
  };

  // The list ---------------------------------------------------------------------------------
  const options = (input) => [...stateOf(input).list.children];
  const place = (input) => {
    const { list } = stateOf(input);
    const box = input.getBoundingClientRect();
    const below = innerHeight - box.bottom;
    const above = below < 160 && box.top > below;
    list.style.insetInlineStart = `${Math.min(box.left, Math.max(8, innerWidth - list.offsetWidth - 8))}px`;
    list.style.minWidth = `${Math.min(box.width, innerWidth - 16)}px`;
    list.style.top = above ? "auto" : `${box.bottom + 2}px`;
    list.style.bottom = above ? `${innerHeight - box.top + 2}px` : "auto";
  };
  const mark = (input, at) => {
    const state = stateOf(input);
    const all = options(input);
    state.at = all.length ? (at + all.length) % all.length : -1;
    for (const [index, option] of all.entries()) {
      option.setAttribute("aria-selected", String(index === state.at));
    }
    if (state.at < 0) input.removeAttribute("aria-activedescendant");
    else {
      input.setAttribute("aria-activedescendant", all[state.at].id);
      all[state.at].scrollIntoView({ block: "nearest" });
    }
  };
  const open = (input) => {
    const { list } = stateOf(input);
    list.hidden = !list.children.length;
    input.setAttribute("aria-expanded", String(!list.hidden));
    if (list.hidden) return;
    place(input);
    const exact = options(input).findIndex((option) => option.dataset.value === input.value.trim());
    mark(input, Math.max(exact, 0));
  };
  const close = (input) => {
    stateOf(input).list.hidden = true;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  };
  const isOpen = (input) => !stateOf(input).list.hidden;

  // What follows from a value -----------------------------------------------------------------
  const prefixOf = (input) => input.name.slice(0, input.name.lastIndexOf("-") + 1);
  const near = (input, name) =>
    input.form.elements[prefixOf(input) + name] ?? input.form.elements[name];
  const untouched = (field) => !field.value || field.value === field.dataset.filled;
  const takes = (field) => {
    if (!field?.matches?.("input, textarea") || field.closest("details:not([open])")) return false;
    // An address is taken as a whole: half of one and half of another would be a third.
    const whole = field.closest("[data-whole]");
    return whole ? [...whole.querySelectorAll("input")].every(untouched) : untouched(field);
  };
  const fill = (input, texts) => {
    const found = Object.entries(texts)
      .map(([name, text]) => [input.form.elements[prefixOf(input) + name], text])
      .filter(([field]) => takes(field));
    for (const [field, text] of found) {
      field.value = text;
      field.dataset.filled = text;
      field.dispatchEvent(new CustomEvent("input", { bubbles: true, detail: "filled" }));
    }
  };
  const note = (input, text, tone) => {
    const place = document.getElementById(`${input.id}-note`);
    if (!place) return;
    if (place.textContent !== text) place.textContent = text;
    place.className = `field-note tone-${tone}`;
  };
  const know = (input, { value, fill: texts, note: text, tone }) => {
    stateOf(input).known = value;
    note(input, text, tone);
    fill(input, JSON.parse(texts));
  };
  const choose = (input, option) => {
    input.value = option.dataset.value;
    close(input);
    know(input, option.dataset);
    input.dispatchEvent(new CustomEvent("input", { bubbles: true, detail: "filled" }));
    // In a row the next thing to write is what is still empty.
    const left = [...(input.closest("tr")?.querySelectorAll("input:not([type=hidden])") ?? [])];
    left.find((field) => !field.value)?.focus();
  };

  // Questions ---------------------------------------------------------------------------------
  const address = (input, text) => {
    const found = new URL(input.dataset.lookup, location);
    found.searchParams.set("q", text);
    for (const name of input.dataset.uses.split(" ").filter(Boolean)) {
      found.searchParams.set(name, near(input, name)?.value ?? "");
    }
    return found;
  };
  const ask = async (input, then) => {
    const state = stateOf(input);
    state.request?.abort();
    state.request = new AbortController();
    const text = input.value.trim();
    try {
      const answer = await fetch(address(input, text), { signal: state.request.signal });
      if (!answer.ok || answer.redirected) throw new Error(answer.statusText);
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      if (input.value.trim() !== text) return;
      then(page);
    } catch (error) {
      if (error.name !== "AbortError") note(input, "Suggestions are not available.", "warn");
    }
  };
  const suggest = (input) =>
    ask(input, (page) => {
      const { list } = stateOf(input);
      list.replaceChildren(...page.querySelectorAll("li"));
      for (const [index, option] of options(input).entries()) option.id = `${list.id}-${index}`;
      const known = page.querySelector("[data-known]");
      // While somebody types, half a value is not an unknown one.
      note(input, known && !list.children.length ? known.dataset.note : "", known?.dataset.tone ?? "idle");
      if (input === document.activeElement) open(input);
    });
  const settle = (input) => {
    clearTimeout(stateOf(input).timer);
    stateOf(input).request?.abort();
    close(input);
    if (!input.value.trim()) {
      stateOf(input).known = null;
      note(input, "", "idle");
    } else {
      ask(input, (page) => know(input, page.querySelector("[data-known]").dataset));
    }
  };

  // Events ------------------------------------------------------------------------------------
  document.addEventListener("input", (event) => {
    const input = event.target;
    if (event.detail === "filled" || !isLookup(input)) return;
    const state = stateOf(input);
    clearTimeout(state.timer);
    if (!input.value.trim() && !("listed" in input.dataset)) close(input);
    else state.timer = setTimeout(() => suggest(input), PAUSE);
  });
  document.addEventListener("focusin", (event) => {
    const input = event.target;
    if (!isLookup(input)) return;
    stateOf(input);
    if ("listed" in input.dataset && !input.value) suggest(input);
  });
  document.addEventListener("focusout", (event) => {
    if (isLookup(event.target) && states.has(event.target)) {
      close(event.target);
      const input = event.target;
      if (input.value.trim() !== (stateOf(input).known ?? "")) settle(input);
    }
  });
  // What is known of a value may depend on other fields: stock on the quantity, prices on the currency.
  document.addEventListener("change", (event) => {
    const changed = event.target;
    if (!changed.form || isLookup(changed)) return;
    const last = changed.name.slice(changed.name.lastIndexOf("-") + 1);
    for (const input of changed.form.querySelectorAll("[data-lookup]")) {
      const uses = input.dataset.uses.split(" ").includes(last);
      if (uses && input.value.trim() && near(input, last) === changed) settle(input);
    }
  });
  document.addEventListener(
    "keydown",
    (event) => {
      const input = event.target;
      if (!isLookup(input) || event.ctrlKey || event.metaKey || event.isComposing) return;
      const shown = isOpen(input);
      const { at } = stateOf(input);
      if (event.key === "ArrowDown" && !shown) suggest(input);
      else if (event.key === "ArrowDown") mark(input, at + 1);
      else if (event.key === "ArrowUp" && shown) mark(input, at - 1);
      else if (event.key === "Escape" && shown) close(input);
      else if (event.key === "Enter" && shown && at >= 0) choose(input, options(input)[at]);
      else return;
      event.preventDefault();
      event.stopPropagation();
    },
    true,
  );
  const follow = () => {
    const input = document.activeElement;
    if (isLookup(input) && states.has(input) && isOpen(input)) place(input);
  };
  const nameAll = () => {
    for (const input of document.querySelectorAll("[data-lookup]:not([role])")) name(input);
  };
  document.addEventListener("htmx:after:swap", nameAll);
  nameAll();
  document.addEventListener("scroll", follow, true);
  addEventListener("resize", follow);
})();
