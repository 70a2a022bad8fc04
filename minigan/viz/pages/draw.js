'use strict';
// Drawing, without a thought for where the numbers come from.
const byId = (name) => document.getElementById(name);
const ink = (name) => getComputedStyle(document.documentElement).getPropertyValue('--' + name).trim();
const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
const shorts = (text) => { // pairs of numbers in [-1, 1]
  const view = new DataView(bytes(text).buffer);
  return Array.from({length: view.byteLength / 2}, (_, i) => view.getInt16(2 * i, true) / 32767);
};

function fitted(canvas) { // a pen whose unit is a CSS pixel
  const scale = window.devicePixelRatio || 1, box = canvas.getBoundingClientRect();
  const wide = Math.max(1, Math.round(box.width * scale)), high = Math.max(1, Math.round(box.height * scale));
  if (canvas.width !== wide || canvas.height !== high) { canvas.width = wide; canvas.height = high; }
  const pen = canvas.getContext('2d');
  pen.setTransform(scale, 0, 0, scale, 0, 0);
  pen.clearRect(0, 0, box.width, box.height);
  return [pen, box.width, box.height];
}

function land(belief, raster) { // D's map as a small picture
  const picture = document.createElement('canvas');
  picture.width = picture.height = raster;
  const pen = picture.getContext('2d'), data = pen.createImageData(raster, raster);
  const [fake, unsure, real] = ['fakeland', 'unsure', 'realland'].map((name) => ink(name).split(' ').map(Number));
  belief.forEach((value, i) => {
    const away = 2 * value / 255 - 1, end = away > 0 ? real : fake;
    for (let k = 0; k < 3; k++) data.data[4 * i + k] = unsure[k] + Math.abs(away) * (end[k] - unsure[k]);
    data.data[4 * i + 3] = 255;
  });
  pen.putImageData(data, 0, 0);
  return picture;
}

function dots(pen, pairs, side, radius, colour, alpha) {
  pen.fillStyle = colour;
  pen.globalAlpha = alpha;
  for (let i = 0; i < pairs.length; i += 2) {
    pen.beginPath();
    pen.arc((pairs[i] + 1) / 2 * side, (1 - pairs[i + 1]) / 2 * side, radius, 0, 7);
    pen.fill();
  }
  pen.globalAlpha = 1;
}

function arrows(pen, pairs, pushes, side) {
  pen.strokeStyle = ink('push');
  pen.lineWidth = 1.4;
  pen.globalAlpha = 0.8;
  pen.beginPath();
  for (let i = 0; i < pushes.length; i += 2) {
    const length = Math.hypot(pushes[i], pushes[i + 1]) * 34;
    if (length < 1) continue;
    const x = (pairs[i] + 1) / 2 * side, y = (1 - pairs[i + 1]) / 2 * side;
    const angle = Math.atan2(-pushes[i + 1], pushes[i]), tip = Math.min(5, length / 2);
    const [ex, ey] = [x + Math.cos(angle) * length, y + Math.sin(angle) * length];
    pen.moveTo(x, y);
    pen.lineTo(ex, ey);
    for (const turn of [2.6, -2.6]) {
      pen.moveTo(ex, ey);
      pen.lineTo(ex + Math.cos(angle + turn) * tip, ey + Math.sin(angle + turn) * tip);
    }
  }
  pen.stroke();
  pen.globalAlpha = 1;
}

function axes(pen, side, extent) { // both run from -extent to extent, so a unit is as long either way
  const step = [0.25, 0.5, 1, 2, 5].find((one) => extent / one <= 3.2) || 10;
  pen.fillStyle = pen.strokeStyle = ink('soft');
  pen.lineWidth = 1;
  pen.font = '11px system-ui, sans-serif';
  for (let value = -Math.floor(extent / step) * step; value <= extent; value += step) {
    const place = Math.round((value / extent + 1) / 2 * side) + 0.5, name = String(+value.toFixed(2));
    pen.beginPath();
    pen.moveTo(place, side); pen.lineTo(place, side - 5);
    pen.moveTo(0, side - place); pen.lineTo(5, side - place);
    pen.stroke();
    pen.textAlign = 'center'; pen.fillText(name, place, side - 8);
    pen.textAlign = 'left'; if (value > -extent + step / 2) pen.fillText(name, 8, side - place + 4);
  }
}

function drawPlane(canvas, frame, hello, cursor) {
  const [pen, side] = fitted(canvas);
  pen.fillStyle = 'rgb(' + ink('unsure') + ')';
  pen.fillRect(0, 0, side, side);
  if (frame.map) {
    pen.imageSmoothingEnabled = true;
    pen.drawImage(land(bytes(frame.map), hello.raster), 0, 0, side, side);
  }
  const made = frame.made ? shorts(frame.made) : [];
  if (frame.real) dots(pen, shorts(frame.real), side, 1.4, ink('real'), 0.75);
  dots(pen, made, side, 2.1, ink('made'), 0.7);
  if (frame.push) arrows(pen, made, shorts(frame.push), side);
  const radius = frame.spots.length > 30 ? 5 : frame.spots.length > 8 ? 10 : 15;
  frame.spots.forEach(([x, y], i) => {
    const kept = frame.modes && frame.modes[i];
    pen.strokeStyle = ink(kept ? 'good' : 'bad');
    pen.lineWidth = radius > 5 ? 2.2 : 1.4;
    pen.setLineDash(kept ? [] : [4, 3]);
    pen.beginPath();
    pen.arc((x / hello.extent + 1) / 2 * side, (1 - y / hello.extent) / 2 * side, radius, 0, 7);
    pen.stroke();
  });
  pen.setLineDash([]);
  axes(pen, side, hello.extent);
  if (cursor) {
    const x = (cursor[0] / hello.extent + 1) / 2 * side, y = (1 - cursor[1] / hello.extent) / 2 * side;
    pen.strokeStyle = ink('ink');
    pen.beginPath();
    pen.moveTo(x - 9, y); pen.lineTo(x + 9, y); pen.moveTo(x, y - 9); pen.lineTo(x, y + 9);
    pen.stroke();
  }
}

function drawCurves(canvas, rows, lines, range) { // lines: [[column, colour], ...]; range: fixed ends, or none
  const [pen, wide, high] = fitted(canvas), [left, right, top, low] = [42, 6, 6, 18];
  if (!rows.length) return;
  const values = rows.flatMap((row) => lines.map(([column]) => row[column])).filter(Number.isFinite).sort((a, b) => a - b);
  if (!values.length) return;
  let [least, most] = range || [values[Math.floor(values.length * 0.005)], values[Math.ceil(values.length * 0.995) - 1]];
  if (!range) { const room = 0.08 * (most - least) || 0.5; least -= room; most += room; }
  const [first, last] = [rows[0][0], Math.max(rows[rows.length - 1][0], rows[0][0] + 1)];
  const x = (step) => left + (step - first) / (last - first) * (wide - left - right);
  const y = (value) => top + (1 - (value - least) / (most - least)) * (high - top - low);
  pen.font = '11px system-ui, sans-serif';
  pen.fillStyle = ink('soft');
  pen.strokeStyle = ink('line');
  pen.lineWidth = 1;
  for (const share of range ? [0, 1] : [0, 0.5, 1]) {
    const value = least + share * (most - least);
    pen.beginPath(); pen.moveTo(left, y(value)); pen.lineTo(wide - right, y(value)); pen.stroke();
    pen.textAlign = 'right'; pen.fillText(range ? value : value.toPrecision(2), left - 5, y(value) + 4);
  }
  pen.textAlign = 'left'; pen.fillText(first, left, high - 4);
  pen.textAlign = 'right'; pen.fillText(last, wide - right, high - 4);
  pen.save();
  pen.beginPath(); pen.rect(left, top - 3, wide - left - right, high - top - low + 6); pen.clip();
  for (const [column, colour] of lines) {
    pen.strokeStyle = ink(colour);
    pen.lineWidth = 1.8;
    pen.beginPath();
    rows.forEach((row, i) => (i ? pen.lineTo(x(row[0]), y(row[column])) : pen.moveTo(x(row[0]), y(row[column]))));
    pen.stroke();
  }
  pen.restore();
}
