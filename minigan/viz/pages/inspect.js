'use strict';
const byId = (name) => document.getElementById(name);
const data = JSON.parse(byId('data').textContent);
function make(kind, words, ...inside) {
  const one = document.createElement(kind);
  if (words !== undefined && words !== null) one.textContent = words;
  one.append(...inside);
  return one;
}
function picture(source, words) {
  const one = make('img');
  one.src = source;
  one.alt = words;
  return one;
}
function sheet(source, words) { // small pixels enlarged by a whole number, as far as there is room
  const image = picture(source, words);
  image.addEventListener('load', () => {
    const scale = Math.min(12, Math.floor(560 / image.naturalWidth), Math.floor(150 / image.naturalHeight));
    image.style.width = image.naturalWidth * Math.max(1, scale) + 'px';
  });
  return image;
}
const brief = (length) => (length > 0 ? (length < 1e-3 ? length.toExponential(1) : length.toPrecision(2)) : 'none');
const framed = (source, words) => make('figure', null, picture(source, words), make('figcaption', words));

for (const [name, value] of data.facts) byId('facts').append(make('div', null, make('dt', name), make('dd', value)));
for (const [name, why] of Object.entries(data.missing)) {
  const part = byId(name);
  part.querySelector('.missing').textContent = why;
  for (const body of part.querySelectorAll('.body')) body.remove();
}

function chooser(place, pictures, chosen) { // a row of pictures, one of them pressed
  const buttons = pictures.map((source, k) => {
    const button = make('button', null, picture(source, 'sample ' + (k + 1)));
    button.addEventListener('click', () => choose(k));
    return button;
  });
  const choose = (k) => {
    buttons.forEach((button, i) => button.setAttribute('aria-pressed', String(i === k)));
    chosen(k);
  };
  place.append(...buttons);
  choose(0);
}

function walk({samples, frames, positions, share, space}) {
  byId('space').textContent = space;
  const middle = Math.floor(positions.length / 2);
  let sample = 0;
  const bars = share.map((part, k) => {
    const bar = make('input'), words = make('output');
    bar.type = 'range';
    [bar.min, bar.max, bar.step, bar.value] = [0, positions.length - 1, 1, middle];
    bar.id = 'way-' + k;
    byId('sliders').append(make('label', null, `direction ${k + 1}, ${(100 * part).toFixed(1)} % of the variance`, words, bar));
    bar.addEventListener('input', () => {
      bars.forEach((other) => { if (other.bar !== bar) other.bar.value = middle; });
      show(k);
    });
    return {bar, words};
  });
  function show(way) {
    bars.forEach(({bar, words}) => {
      words.textContent = positions[bar.value].toFixed(2);
      bar.setAttribute('aria-valuetext', positions[bar.value].toFixed(2) + ' deviations');
    });
    const at = bars[way].bar.value;
    byId('walked').src = frames[sample][way][at];
    byId('walkedwords').textContent = `sample ${sample + 1}, direction ${way + 1} at ${positions[at].toFixed(2)}`;
    byId('strip').replaceChildren(...frames[sample][way].map((source, i) => framed(source, positions[i].toFixed(2))));
  }
  chooser(byId('choose'), samples, (k) => {
    sample = k;
    bars.forEach(({bar}) => { bar.value = middle; });
    show(0);
  });
}

function layerRows(found, samples) {
  const rows = found.map((one) => {
    const off = one.off === null ? '' : `, ${Math.round(100 * one.off)} % switched off`;
    const image = sheet(one.maps[0], `${one.net} ${one.name}: maps of the layer ${one.kind}`);
    const words = make('div', null, make('b', `${one.net}: ${one.kind}`), make('small', `${one.name}, ${one.shape}`),
      make('small', `mean ${one.mean}, deviation ${one.deviation}${off}`));
    byId('maps').append(Object.assign(make('div', null, words, image), {className: 'layer'}));
    return image;
  });
  chooser(byId('choose2'), samples, (k) => rows.forEach((image, i) => { image.src = found[i].maps[k]; }));
}

function filterRows(found) {
  for (const one of found) {
    const image = sheet(one.picture, `${one.net} ${one.name}: ${one.what}`);
    byId('kernels').append(Object.assign(make('div', null, make('div', null, make('b', `${one.net}: ${one.kind}`),
      make('small', `${one.name}, ${one.shape}`), make('small', one.what)), image), {className: 'layer'}));
  }
}

function seen(found) {
  for (const one of found) {
    byId('seen').append(make('figure', null, picture(one.picture, one.what), picture(one.slope, 'gradient of the logit by the pixel'),
      make('figcaption', `${one.what}: logit ${one.logit}, steepness ${one.steepness}`)));
  }
}

function history({steps, nets, low, high, colours}) { // a row a layer, a column a step that was measured
  const last = steps.length - 1;
  const shade = (length) => colours[Math.max(0, Math.min(colours.length - 1,
    Math.floor(colours.length * (Math.log10(length) - low) / (high - low))))];
  function strip(lengths, words) {
    const canvas = make('canvas'), pen = canvas.getContext('2d');
    [canvas.width, canvas.height] = [lengths.length, 1];
    lengths.forEach((length, k) => {
      if (!(length > 0)) return; // the hatching shows through
      pen.fillStyle = shade(length);
      pen.fillRect(k, 0, 1, 1);
    });
    canvas.setAttribute('role', 'img');
    canvas.setAttribute('aria-label', words);
    return canvas;
  }
  const part = byId('history');
  part.append(make('p', 'Colours on one logarithmic scale for all layers; hatched: no gradient. Beside each layer its length at the '
    + 'first step and at the last.'));
  const scale = strip(colours.map((_, k) => 10 ** (low + (high - low) * (k + 0.5) / colours.length)), 'the scale of the colours');
  part.append(Object.assign(make('div', null, make('span', '1e' + low), scale, make('span', '1e' + high)), {className: 'scale'}));
  for (const {net, layers} of nets) {
    part.append(make('h4', net));
    for (const {name, kind, lengths} of layers) {
      const change = `${brief(lengths[0])} → ${brief(lengths[last])}`;
      const canvas = strip(lengths, `${net} ${name}: length of the gradient ${brief(lengths[0])} at step ${steps[0]}, ${brief(lengths[last])} at step ${steps[last]}`);
      canvas.addEventListener('pointermove', (event) => {
        const k = Math.max(0, Math.min(last, Math.floor(steps.length * event.offsetX / canvas.clientWidth)));
        canvas.title = `step ${steps[k]}: ${brief(lengths[k])}`;
      });
      part.append(Object.assign(make('div', null, make('span', `${kind} ${name}`), canvas, make('b', change)), {className: 'past'}));
    }
    const ends = [...new Set([0, Math.floor(last / 2), last])].map((k) => make('span', `step ${steps[k]}`));
    part.append(Object.assign(make('div', null, make('div', null, ...ends)), {className: 'past steps'}));
  }
}

function bars({curves, layers, why, history: past, nohistory}) {
  if (curves) byId('curves').src = curves; else byId('curves').remove();
  byId('nohistory').textContent = nohistory || '';
  if (past) history(past);
  byId('why').textContent = why || '';
  if (!layers) return;
  const most = Math.max(...layers.map((one) => one.norm)), least = most * 1e-5;
  byId('bars').append(make('p', 'Bars on a logarithmic scale of five decades; beside each the length of the gradient.'));
  for (const one of layers) {
    const bar = make('i');
    bar.style.width = (one.norm > least ? 100 * (1 + Math.log10(one.norm / most) / 5) : 0) + '%';
    bar.style.background = `var(--${one.net === 'D' || one.net === 'encoder' ? 'd' : 'g'})`;
    const row = make('div', null, make('span', `${one.net}: ${one.name}`), bar, make('b', brief(one.norm)));
    row.className = 'bar';
    row.title = `length of the weights ${one.weight}`;
    byId('bars').append(row);
  }
}

function near({pictures, near: found, distance, typical}) {
  byId('typical').textContent = `Real pictures lie ${typical} from their own nearest neighbour (the median of 64).`;
  pictures.forEach((source, k) => {
    const row = make('div', null, framed(source, 'generated'), ...found[k].map((one, i) => framed(one, distance[k][i].toFixed(3))));
    row.className = 'four';
    byId('near').append(row);
  });
}

function step({whole, ops, graph, why, loss}) {
  byId('lossname').textContent = loss;
  byId('whole').textContent = `A whole training step took ${whole} ms here; this is what it was made of.`;
  const table = byId('ops'), head = make('tr', null, ...['operation', 'calls', 'forward, ms', 'backward, ms'].map((name) => make('th', name)));
  table.append(make('thead', null, head), make('tbody', null, ...ops.map((row) => make('tr', null, ...row.map((cell) => make('td', String(cell)))))));
  byId('nograph').textContent = why || '';
  if (graph) byId('graph').src = graph; else byId('graph').remove();
}

if (data.directions) walk(data.directions);
if (data.layers) layerRows(data.layers, data.directions ? data.directions.samples : []);
if (data.filters) filterRows(data.filters);
if (data.looks) seen(data.looks);
if (data.gradients) bars(data.gradients);
if (data.neighbours) near(data.neighbours);
if (data.step) step(data.step);
