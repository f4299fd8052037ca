// What was typed into a form and not sent yet is kept in this tab, and is there again when the form
// opens again. It leaves the browser only with the form itself; signing out removes it, and so does
// somebody else who signs in.
window.drafts = (() => {
  const PREFIX = "draft:";
  const keyOf = (form) => form?.dataset.draft && PREFIX + form.dataset.draft;
  const fieldsOf = (form) =>
    [...form.elements].filter(
      (field) => field.name && !["hidden", "submit", "button", "file", "password"].includes(field.type),
    );
  const isChoice = (field) => field.type === "checkbox" || field.type === "radio";
  const untouched = (field) => {
    if (isChoice(field)) return field.checked === field.defaultChecked;
    if (field.tagName !== "SELECT") return field.value === field.defaultValue;
    const shown = [...field.options].find((option) => option.defaultSelected) ?? field.options[0];
    return field.value === (shown?.value ?? "");
  };

  // Whether the form holds anything that its page did not come with.
  const typed = (form) => {
    if (!form || form.method !== "post") return false;
    return "typed" in form.dataset || !fieldsOf(form).every(untouched);
  };

  const stored = (change) => {
    try {
      return change(sessionStorage);
    } catch {
      return null; // storage is forbidden or full: what is typed is on the page alone
    }
  };
  const keep = (form) => {
    const key = keyOf(form);
    if (!key) return;
    const pairs = fieldsOf(form)
      .filter((field) => !isChoice(field) || field.checked)
      .map((field) => [field.name, field.value]);
    stored((storage) => storage.setItem(key, JSON.stringify({ pairs })));
  };
  const forget = (form) => {
    const key = keyOf(form);
    if (key) stored((storage) => storage.removeItem(key));
  };

  // Rows that this form does not show yet are asked of the server, which sends the form with them.
  const restore = (form) => {
    const key = keyOf(form);
    if (!key || "typed" in form.dataset) return;
    const { pairs } = JSON.parse(stored((storage) => storage.getItem(key)) ?? '{"pairs": []}');
    if (!pairs.length) return;
    for (const field of fieldsOf(form).filter(isChoice)) {
      field.checked = pairs.some(([name, value]) => name === field.name && value === field.value);
    }
    const missing = [];
    for (const [name, value] of pairs) {
      const field = fieldsOf(form).find((each) => each.name === name);
      if (!field) missing.push([name, value]);
      else if (!isChoice(field)) field.value = value;
    }
    const note = form.querySelector("[data-restored]");
    if (note) note.hidden = fieldsOf(form).every(untouched);
    if (!missing.length) return;
    for (const [name, value] of [...missing, ["again", "1"]]) {
      const field = Object.assign(document.createElement("input"), { type: "hidden", name, value });
      form.append(field);
    }
    form.requestSubmit();
  };

  // The forms behind a dialog go on with the token of the session that was begun in it.
  const renewTokens = () => {
    const fresh = document.querySelector('#command input[name="csrf_token"]');
    if (!fresh) return;
    for (const field of document.querySelectorAll('input[name="csrf_token"]')) {
      field.value = fresh.value;
    }
  };

  const discard = (form) => {
    forget(form);
    form.reset();
    form.querySelector("[data-restored]").hidden = true;
  };

  document.addEventListener("input", (event) => keep(event.target.form));
  document.addEventListener("change", (event) => keep(event.target.form));
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-discard]");
    if (button) discard(button.form);
  });
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.matches("[data-sign-out]")) stored((storage) => storage.clear());
  });
  const operator = document.querySelector("[data-operator]")?.dataset.operator;
  const isOthers = (key) => key.startsWith(PREFIX) && !key.startsWith(`${PREFIX}${operator} `);
  if (operator) {
    stored((storage) => {
      for (const key of Object.keys(storage).filter(isOthers)) storage.removeItem(key);
    });
  }
  // On a page with the outcome of what was sent, which names the form, its text is done with.
  const done = document.querySelector("[data-sent]")?.dataset.sent;
  if (done) stored((storage) => storage.removeItem(PREFIX + done));
  for (const form of document.querySelectorAll("form[data-draft]")) {
    if (!form.closest("dialog")) restore(form);
  }
  return { typed, restore, forget, renewTokens };
})();
