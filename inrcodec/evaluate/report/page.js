"use strict";

// Crops: one viewer per kind of signal, fed by the JSON beside it.
for (const viewer of document.querySelectorAll(".viewer")) {
  const pictures = JSON.parse(viewer.querySelector("script").textContent);
  const part = (name) => viewer.querySelector(`[data-part="${name}"]`);
  const stage = part("stage");
  const names = ["picture", "rate", "a", "b"];
  const selects = Object.fromEntries(names.map((name) => [name, part(name)]));
  const fill = (select, labels, wanted) => {
    const old = select.value;
    select.replaceChildren(...labels.map((label) => new Option(label, label)));
    select.value = labels.includes(old) ? old : wanted;
  };
  const picture = () => pictures[Math.max(0, selects.picture.selectedIndex)];
  const rate = () => picture().rates[Math.max(0, selects.rate.selectedIndex)];
  const shown = (name) =>
    name === "original" ? { src: picture().original, caption: "" } : rate().codecs[name];

  const fillRates = () => {
    const labels = picture().rates.map((one) => one.label);
    const place = selects.rate.options.length
      ? Math.max(0, selects.rate.selectedIndex)
      : Math.floor((labels.length - 1) / 2);
    fill(selects.rate, labels, labels[Math.min(place, labels.length - 1)]);
  };
  const fillCodecs = () => {
    const codecs = ["original", ...Object.keys(rate().codecs)];
    const first = viewer.dataset.first, second = viewer.dataset.second;
    fill(selects.a, codecs, codecs.includes(first) ? first : codecs.at(-1));
    fill(selects.b, codecs, codecs.includes(second) ? second : codecs[0]);
  };
  const show = () => {
    fillRates();
    fillCodecs();
    const { width, height, signal, place } = picture();
    for (const [role, name] of [["original", "original"], ["a", selects.a.value], ["b", selects.b.value]]) {
      const { src, caption } = shown(name);
      for (const image of viewer.querySelectorAll(`img[data-role="${role}"]`)) {
        image.width = width;
        image.height = height;
        image.src = src;
        image.alt = `Crop of ${signal}, ${name}. ${caption}`;
      }
      for (const text of viewer.querySelectorAll(`[data-name="${role}"]`)) text.textContent = name;
      for (const text of viewer.querySelectorAll(`[data-caption="${role}"]`)) text.textContent = caption;
    }
    part("place").textContent = place;
  };
  for (const select of Object.values(selects)) select.addEventListener("change", show);

  const slider = part("slider");
  const split = () => stage.style.setProperty("--split", `${slider.value}%`);
  slider.addEventListener("input", split);
  const drag = (event) => {
    const box = stage.getBoundingClientRect();
    slider.value = (100 * (event.clientX - box.left)) / box.width;
    split();
  };
  stage.addEventListener("pointerdown", (event) => {
    stage.setPointerCapture(event.pointerId);
    drag(event);
  });
  stage.addEventListener("pointermove", (event) => event.buttons && drag(event));

  // All pictures of a viewer show the same place: the origin of the zoom, in percent.
  const origin = { x: 50, y: 50 };
  const pan = (dx, dy) => {
    origin.x = Math.min(100, Math.max(0, origin.x + dx));
    origin.y = Math.min(100, Math.max(0, origin.y + dy));
    viewer.style.setProperty("--x", `${origin.x}%`);
    viewer.style.setProperty("--y", `${origin.y}%`);
  };
  const zoom = () => Number(viewer.querySelector(".zoom input:checked").value);
  for (const input of viewer.querySelectorAll(".zoom input")) {
    input.addEventListener("change", () => {
      viewer.dataset.zoom = zoom();
      viewer.style.setProperty("--zoom", zoom());
    });
  }
  for (const pane of viewer.querySelectorAll(".pane")) {
    pane.addEventListener("pointerdown", (event) => pane.setPointerCapture(event.pointerId));
    pane.addEventListener("pointermove", (event) => {
      if (!event.buttons || zoom() === 1) return;
      const share = -100 / (pane.clientWidth * (zoom() - 1));
      pan(event.movementX * share, event.movementY * share);
    });
    pane.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: [-5, 0], ArrowRight: [5, 0], ArrowUp: [0, -5], ArrowDown: [0, 5] }[event.key];
      if (!step || zoom() === 1) return;
      event.preventDefault();
      pan(...step);
    });
  }

  fill(selects.picture, pictures.map((one) => one.signal), pictures[0].signal);
  show();
  split();
}

// Tables: a click on a header sorts by its column, another one turns the order around.
for (const table of document.querySelectorAll("table.sortable")) {
  const body = table.tBodies[0];
  const headers = [...table.tHead.rows[0].cells];
  headers.forEach((header, column) => {
    header.querySelector("button").addEventListener("click", () => {
      const sign = header.getAttribute("aria-sort") === "ascending" ? -1 : 1;
      for (const other of headers) other.removeAttribute("aria-sort");
      header.setAttribute("aria-sort", sign === 1 ? "ascending" : "descending");
      const text = (row) => row.cells[column].textContent;
      const rows = [...body.rows].sort((a, b) => {
        const [first, second] = [text(a), text(b)];
        const difference = Number(first) - Number(second);
        if (first !== "" && second !== "" && !Number.isNaN(difference)) return sign * difference;
        return sign * first.localeCompare(second, "en", { numeric: true });
      });
      body.append(...rows);
    });
  });
}
