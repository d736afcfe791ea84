"use strict";
// Sorting and filtering for those who have scripts; the page says everything without.
(() => {
  const number = (text) => {
    const found = parseFloat(text.replace(/[,<]/g, ""));
    return text === "unlimited" ? Infinity : found;
  };

  const compare = (a, b, numeric) => {
    if (!numeric) return a.localeCompare(b, "en", { numeric: true });
    return number(a) - number(b);
  };

  const isUnknown = (text, numeric) => text === "" || text === "?" || (numeric && Number.isNaN(number(text)));

  const sort = (table, head, column) => {
    const numeric = head.classList.contains("n");
    // Figures begin with the largest, names with the first; a second press turns that round.
    const [first, second] = numeric ? ["descending", "ascending"] : ["ascending", "descending"];
    const way = head.getAttribute("aria-sort") === first ? second : first;
    for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", way);
    const sign = way === "ascending" ? 1 : -1;
    const body = table.tBodies[0];
    const rows = [...body.rows].map((row) => [row.cells[column].textContent.trim(), row]);
    rows.sort(([a], [b]) => {
      const [noA, noB] = [isUnknown(a, numeric), isUnknown(b, numeric)];
      return noA || noB ? noA - noB : sign * compare(a, b, numeric);
    });
    body.append(...rows.map(([, row]) => row));
  };

  const makeSortable = (table) => {
    [...table.tHead.rows[0].cells].forEach((head, column) => {
      if (head.tagName !== "TH") return;
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = head.textContent;
      button.addEventListener("click", () => sort(table, head, column));
      head.replaceChildren(button);
    });
  };

  const makeFilter = (table) => {
    const label = document.createElement("label");
    const input = document.createElement("input");
    const count = document.createElement("span");
    const box = document.createElement("div");
    input.type = "search";
    input.id = `${table.caption.id}-filter`;
    label.htmlFor = input.id;
    label.textContent = `Only those whose ${table.dataset.filter} has`;
    count.setAttribute("role", "status");
    box.className = "filter";
    box.append(label, input, count);
    table.parentElement.before(box);
    const rows = [...table.tBodies[0].rows].map((row) => [
      [...row.cells].slice(0, 3).map((cell) => cell.textContent).join(" ").toLowerCase(),
      row,
    ]);
    input.addEventListener("input", () => {
      const wanted = input.value.trim().toLowerCase();
      let shown = 0;
      for (const [text, row] of rows) {
        row.hidden = !text.includes(wanted);
        shown += row.hidden ? 0 : 1;
      }
      count.textContent = wanted ? `${shown} of ${rows.length} rows` : "";
    });
  };

  for (const table of document.querySelectorAll("table.sortable")) {
    makeSortable(table);
    if (table.dataset.filter) makeFilter(table);
  }
})();
