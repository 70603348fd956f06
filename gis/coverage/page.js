// What the exported coverage page does: colours, tips, the switch of scales, the filter of the table.
function coveragePage(map, grids, borders, gaps, known) {
  const paint = (scale) =>
    grids.setStyle((feature) => {
      const n = known.grids[feature.properties.n].classes[scale];
      const fillColor = n < 0 ? known.none : known.colours[scale][n];
      return { color: '#ffffff', weight: 0.6, fillColor, fillOpacity: 1 };
    });
  const quiet = (layers) => layers.eachLayer((layer) => { layer.options.interactive = false; });
  borders.setStyle({ color: '#22324c', weight: 1.6, fill: false });
  gaps.setStyle({ color: '#c2410c', weight: 1.2, fillColor: '#f97316', fillOpacity: 0.35 });
  quiet(borders);
  quiet(gaps);
  grids.eachLayer((layer) => {
    const { name, lines } = known.grids[layer.feature.properties.n];
    const box = document.createElement('div');
    box.appendChild(document.createElement('b')).textContent = name;
    const list = box.appendChild(document.createElement('dl'));
    for (const [what, figure] of lines) {
      list.appendChild(document.createElement('dt')).textContent = what;
      list.appendChild(document.createElement('dd')).textContent = figure;
    }
    layer.bindTooltip(box, { sticky: true });
  });
  const above = () => {
    borders.bringToFront();
    gaps.bringToFront();
  };
  paint(0);
  above();
  const buttons = [...document.querySelectorAll('nav button')];
  for (const button of buttons) {
    button.addEventListener('click', () => {
      const scale = Number(button.dataset.scale);
      paint(scale);
      for (const one of buttons) one.setAttribute('aria-pressed', String(one === button));
      for (const legend of document.querySelectorAll('.legend ul')) legend.hidden = Number(legend.dataset.scale) !== scale;
    });
  }
  document.getElementById('gaps').addEventListener('change', (event) => {
    if (!event.target.checked) {
      gaps.remove();
      return;
    }
    gaps.addTo(map);
    above();
  });
  const rows = [...document.querySelectorAll('tbody tr')];
  document.getElementById('filter').addEventListener('input', (event) => {
    const wanted = event.target.value.trim();
    const fits = (row) => [row.cells[0], row.cells[1]].some((cell) => cell.textContent.includes(wanted));
    for (const row of rows) row.hidden = wanted !== '' && !fits(row);
  });
  document.documentElement.dataset.ready = 'yes';
}
