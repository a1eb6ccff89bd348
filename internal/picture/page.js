"use strict";
const rows = [...document.getElementById("clusters").rows].map((row) => ({ row, text: row.textContent.toLowerCase() }));
const search = document.getElementById("search"), count = document.getElementById("count"), none = document.getElementById("none");
function show() {
  const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
  let shown = 0;
  for (const { row, text } of rows) {
    row.hidden = !words.every((word) => text.includes(word));
    shown += row.hidden ? 0 : 1;
  }
  count.textContent = words.length ? `${shown} of ${rows.length}` : `${rows.length}`;
  none.hidden = shown > 0;
}
search.addEventListener("input", show);
show();
