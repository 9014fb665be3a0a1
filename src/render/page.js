// The page is complete without this; it only finds, filters and sorts what is there.
(() => {
  const list = document.querySelector("[data-list]");
  const tools = document.querySelector(".tools");
  if (!list || !tools) return;
  const items = [...list.children];
  const search = tools.querySelector("[name=search]");
  const filters = [...tools.querySelectorAll("[data-filter]")];
  const sort = tools.querySelector("[name=sort]");
  const count = tools.querySelector("output");
  const show = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const item of items) {
      const text = item.dataset.find;
      const wanted = filters.every((filter) => {
        const held = ` ${item.dataset[filter.dataset.filter] || ""} `;
        return !filter.value || held.includes(` ${filter.value} `);
      });
      const yes = wanted && words.every((word) => text.includes(word));
      item.hidden = !yes;
      shown += yes ? 1 : 0;
    }
    count.textContent = shown === items.length ? `${shown} shown` : `${shown} of ${items.length} shown`;
  };
  const order = () => {
    const [field, direction] = sort.value.split(" ");
    const sign = direction === "down" ? -1 : 1;
    const value = (item) => (field === "find" ? item.dataset.find : Number(item.dataset[field] || 0));
    const compare = (a, b) => (value(a) < value(b) ? -sign : value(a) > value(b) ? sign : a.dataset.order - b.dataset.order);
    list.append(...items.sort(compare));
  };
  search.addEventListener("input", show);
  for (const filter of filters) filter.addEventListener("change", show);
  if (sort) sort.addEventListener("change", order);
  tools.hidden = false;
  show();
})();
