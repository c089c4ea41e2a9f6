
"use strict";
(() => {
  const list = document.getElementById("findings");
  const cards = Array.from(list.children).map((node, place) => ({ node, place, data: node.dataset, text: null }));
  const controls = document.getElementById("controls");
  const query = document.getElementById("query");
  const order = document.getElementById("order");
  const shown = document.getElementById("shown");
  const expand = document.getElementById("expand");
  const compare = {
    score: (a, b) => Number(b.data.score) - Number(a.data.score),
    size: (a, b) => Number(b.data.size) - Number(a.data.size),
    path: (a, b) => (a.data.path < b.data.path ? -1 : a.data.path > b.data.path ? 1 : 0),
    type: (a, b) => (a.data.type < b.data.type ? -1 : a.data.type > b.data.type ? 1 : 0),
    time: (a, b) => (a.data.time < b.data.time ? -1 : a.data.time > b.data.time ? 1 : 0),
  };
  const filter = () => {
    const wanted = query.value.toLowerCase();
    const levels = new Set(Array.from(controls.querySelectorAll("[name=level]:checked"), (box) => box.value));
    let count = 0;
    for (const card of cards) {
      if (wanted && card.text === null) card.text = card.node.textContent.toLowerCase();
      const visible = levels.has(card.data.level) && (!wanted || card.text.includes(wanted));
      card.node.hidden = !visible;
      if (visible) count += 1;
    }
    shown.textContent = count + " of " + cards.length + " shown";
  };
  const sort = () => {
    const by = compare[order.value];
    cards.sort((a, b) => by(a, b) || a.place - b.place);
    list.append(...cards.map((card) => card.node));
  };
  let timer = 0;
  query.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(filter, 150); });
  controls.addEventListener("change", (event) => { if (event.target === order) sort(); else filter(); });
  controls.addEventListener("submit", (event) => event.preventDefault());
  expand.addEventListener("click", () => {
    const open = cards.some((card) => !card.node.hidden && !card.node.open);
    for (const card of cards) if (!card.node.hidden) card.node.open = open;
    expand.textContent = open ? "Close all" : "Open all";
  });
  controls.hidden = false;
  filter();
})();
