// Rows of a form (data-lines): added and removed without asking the server, with what they come to.
// Enter in a row goes to the next one.
(() => {
  const PLACES = 4; // digits after the point that any price may have
  const rowsOf = (box) => [...box.querySelectorAll("tbody > tr")];
  const controlsOf = (row) => [...row.querySelectorAll("input:not([type=hidden]), select, textarea")];
  const isBlank = (row) => {
    // A choice has a value from the beginning.
    const texts = controlsOf(row).filter((each) => !each.matches("select"));
    return texts.every((each) => !each.value);
  };
  const first = (row) => controlsOf(row)[0];

  const renumber = (box) => {
    for (const [index, row] of rowsOf(box).entries()) {
      for (const each of controlsOf(row)) {
        each.setAttribute("aria-label", `${each.closest("td").dataset.label}, line ${index + 1}`);
      }
      row.querySelector("[data-number]").textContent = index + 1;
    }
    noteRepeated(box);
  };
  // A product that an earlier line names too.
  const noteRepeated = (box) => {
    const lines = new Map();
    for (const [index, row] of rowsOf(box).entries()) {
      const note = row.querySelector("[data-also]");
      const sku = row.querySelector('[name$="-sku"]')?.value.trim();
      if (!note) continue;
      const text = lines.has(sku) ? `Also on line ${lines.get(sku)}` : "";
      if (note.textContent !== text) note.textContent = text;
      if (sku && !lines.has(sku)) lines.set(sku, index + 1);
    }
  };
  const add = (box) => {
    const template = box.querySelector("template[data-new-line]");
    const numbers = rowsOf(box).map((row) => Number(first(row).name.match(/-(\d+)-[^-]*$/)[1]));
    const number = Math.max(-1, ...numbers) + 1;
    const made = document.createElement("tbody");
    made.innerHTML = template.innerHTML.replaceAll("__row__", number);
    const row = made.querySelector("tr");
    box.querySelector("tbody").append(row);
    renumber(box);
    return row;
  };
  const remove = (row) => {
    const box = row.closest("[data-lines]");
    const rows = rowsOf(box);
    const at = rows.indexOf(row);
    row.remove();
    if (rows.length === 1) add(box);
    renumber(box);
    for (const each of box.closest("form").querySelectorAll("[data-lines]")) sum(each);
    const next = rowsOf(box)[Math.min(at, rowsOf(box).length - 1)];
    next.querySelector("[data-remove-line]").focus();
  };

  // Amounts: exact, in ten thousandths -----------------------------------------------------------
  const formatOf = (box) => {
    const currency = box.closest("form").elements.currency?.value.trim().toUpperCase() ?? "";
    try {
      return new Intl.NumberFormat(box.dataset.locale, { style: "currency", currency, currencyDisplay: "code", roundingMode: "halfEven" });
    } catch {
      return new Intl.NumberFormat(box.dataset.locale, { minimumFractionDigits: 2 }); // no currency yet
    }
  };
  const read = (text, box) => {
    const parts = new Intl.NumberFormat(box.dataset.locale).formatToParts(12345.5);
    const sign = (type) => parts.find((part) => part.type === type)?.value ?? "";
    const plain = text.trim().replaceAll(/\s/g, "").replaceAll(sign("group").trim(), "").replace(sign("decimal"), ".");
    if (!/^\d{1,15}(\.\d{0,4})?$/.test(plain)) return null;
    const [whole, digits = ""] = plain.split(".");
    return BigInt(whole + digits.padEnd(PLACES, "0"));
  };
  const written = (amount) => {
    const digits = String(amount < 0n ? -amount : amount).padStart(PLACES + 1, "0");
    return `${amount < 0n ? "-" : ""}${digits.slice(0, -PLACES)}.${digits.slice(-PLACES)}`;
  };
  // What other rows of the form take off all lines or add to them.
  const adjustments = (box) => {
    let all = 0n;
    for (const field of box.closest("form").querySelectorAll('[data-lines] [name$="-amount"]')) {
      const amount = read(field.value, box) ?? 0n;
      const kind = field.closest("tr").querySelector('[name$="-kind"]');
      all += kind?.value === "discount" ? -amount : amount;
    }
    return all;
  };
  const sum = (box) => {
    const total = box.querySelector("[data-sum]");
    if (!total) return;
    const format = formatOf(box);
    const places = format.resolvedOptions().minimumFractionDigits;
    const exactly = new Intl.NumberFormat(box.dataset.locale, { minimumFractionDigits: places, maximumFractionDigits: PLACES });
    let all = box.id === "lines" ? adjustments(box) : 0n;
    for (const row of rowsOf(box)) {
      const text = (name) => row.querySelector(`[name$="-${name}"]`)?.value.trim() ?? "";
      const quantity = /^\d{1,12}$/.test(text("quantity")) ? BigInt(text("quantity")) : null;
      const price = read(text("unit_price"), box);
      const known = quantity !== null && price !== null;
      const amount = known ? quantity * price - (read(text("discount"), box) ?? 0n) : 0n;
      row.querySelector("[data-amount]").textContent = known ? exactly.format(written(amount)) : "";
      all += amount;
    }
    total.textContent = format.format(written(all));
  };

  // Rows that the server sent for browsers without scripts.
  const tidy = (root) => {
    for (const box of root.querySelectorAll("[data-lines]")) {
      for (const row of box.querySelectorAll("tr[data-spare]")) {
        if (isBlank(row)) row.remove();
        else delete row.dataset.spare;
      }
      renumber(box);
      sum(box);
    }
  };

  // Events ---------------------------------------------------------------------------------------
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-add-line], [data-remove-line]");
    const box = button?.closest("[data-lines]");
    if (!box || !box.querySelector("template[data-new-line]")) return;
    event.preventDefault();
    if ("addLine" in button.dataset) first(add(box)).focus();
    else remove(button.closest("tr"));
  });
  document.addEventListener("input", (event) => {
    const form = event.target.form;
    const row = event.target.closest("[data-lines] tbody > tr");
    if (row) noteRepeated(row.closest("[data-lines]"));
    const counts = event.target.name === "currency" || event.target.closest("[data-lines]");
    if (counts) for (const box of form.querySelectorAll("[data-lines]")) sum(box);
  });
  const next = (row) => {
    const box = row.closest("[data-lines]");
    const following = row.nextElementSibling;
    if (following) first(following).focus();
    else if (!isBlank(row) && box.querySelector("template[data-new-line]")) first(add(box)).focus();
  };
  document.addEventListener("keydown", (event) => {
    const { target, key } = event;
    if (key !== "Enter" || event.isComposing || event.ctrlKey || event.metaKey) return;
    if (!target.matches("input, select") || !target.form?.querySelector("[data-lines]")) return;
    // A form with many fields is sent on purpose, not by an Enter on the way.
    event.preventDefault();
    const row = target.closest("[data-lines] tbody > tr");
    if (row) next(row);
  });
  document.addEventListener("htmx:after:swap", () => tidy(document));
  tidy(document);
})();
