"use strict";
// Adds a button to each table that copies it as tab-separated text. The page does without.
(() => {
  const text = (cell) =>
    [...cell.childNodes]
      .map((node) => [node.nodeName, node.textContent.trim()])
      .filter(([, words]) => words)
      .map(([name, words]) => (name === "SMALL" ? `(${words})` : words))
      .join(" ");
  const row = (line) =>
    [...line.cells].flatMap((cell) => [text(cell), ...Array(cell.colSpan - 1).fill("")]).join("\t");
  const rows = (table) => [...table.rows].map(row).join("\n");

  async function copy(words) {
    try {
      await navigator.clipboard.writeText(words);
    } catch {
      const area = document.createElement("textarea"); // where a browser has no clipboard for files
      area.value = words;
      document.body.append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
    }
  }

  for (const title of document.querySelectorAll(".title:has(+ .scroll)")) {
    const table = title.nextElementSibling.querySelector("table");
    const button = document.createElement("button");
    button.type = "button";
    button.className = "copy";
    button.textContent = "Copy";
    button.setAttribute("aria-label", `Copy the table: ${title.textContent.trim()}`);
    button.addEventListener("click", async () => {
      await copy(rows(table));
      button.textContent = "Copied";
      setTimeout(() => (button.textContent = "Copy"), 2000);
    });
    title.append(" ", button);
  }
})();
