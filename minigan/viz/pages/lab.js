// The laboratory's page: frames come from a session that trains, or from a recording in the page itself.
const recorded = JSON.parse(byId('data').textContent);
const replaying = Boolean(recorded.frames);
let hello = null, frame = null, rows = [], cursor = null, over = false, dirty = false, looked = '';
const held = new Set(); // controls under the user's hand: frames leave them alone

function say(words, bad) {
  byId('say').textContent = words;
  byId('say').className = bad ? 'bad' : '';
}

async function ask(words) {
  if (replaying || over) return null;
  try {
    const answer = await fetch('/do', {
      method: 'POST', headers: {'Content-Type': 'application/json'}, body: JSON.stringify(words),
    });
    const found = await answer.json();
    say(found.error || found.notice || '', Boolean(found.error));
    return answer.ok;
  } catch {
    say('The laboratory does not answer; is it still running?', true);
    return false;
  }
}

// ---- controls --------------------------------------------------------------------------------------------------

const exact = (value) => (value >= 100 || Number.isInteger(value) ? String(value) : String(+value.toPrecision(2)));

function control(name, setting) {
  const box = document.createElement('div'), id = 'set-' + name;
  box.className = 'setting';
  const label = box.appendChild(document.createElement('label'));
  label.htmlFor = id;
  label.textContent = setting.label;
  const menu = setting.kind === 'menu', log = setting.kind === 'log';
  const input = box.appendChild(document.createElement(menu ? 'select' : 'input'));
  input.id = id;
  if (menu) {
    for (const value of setting.values) input.append(new Option(String(value), JSON.stringify(value)));
  } else if (setting.kind === 'switch') {
    input.type = 'checkbox';
  } else {
    const [low, high, step] = setting.values;
    input.type = 'range';
    [input.min, input.max, input.step] = log ? [Math.log10(low), Math.log10(high), 0.02] : [low, high, step];
  }
  const text = menu || setting.kind === 'switch' ? null : box.appendChild(document.createElement('output'));
  const hint = box.appendChild(document.createElement('small'));
  hint.textContent = setting.hint;
  hint.id = id + '-hint';
  input.setAttribute('aria-describedby', hint.id);
  input.disabled = replaying;
  const value = () => menu ? JSON.parse(input.value) : setting.kind === 'switch' ? input.checked
    : log ? Math.min(setting.values[1], Math.max(setting.values[0], +(10 ** input.value).toPrecision(3))) : +input.value;
  const tell = () => {
    if (text) text.textContent = exact(value());
    if (text) input.setAttribute('aria-valuetext', exact(value()));
  };
  let busy = false, again = false;
  const send = async () => { // one request at a time, the last value last
    held.add(name);
    last = '';
    tell();
    if (busy) { again = true; return; }
    busy = true;
    do { again = false; await ask({do: 'set', settings: {[name]: value()}}); } while (again);
    busy = false;
    setTimeout(() => { if (!busy) { held.delete(name); update(); } }, 250);
  };
  input.addEventListener(text ? 'input' : 'change', send);
  let last = '';
  box.put = (now) => { // only what has changed: a menu that is open stays as the user's hand has it
    if (held.has(name) || last === JSON.stringify(now)) return;
    last = JSON.stringify(now);
    if (menu) input.value = JSON.stringify(now);
    else if (setting.kind === 'switch') input.checked = now;
    else input.value = log ? Math.log10(now) : now;
    tell();
  };
  return box;
}

const controls = {};

function build() {
  document.body.classList.toggle('replay', replaying);
  document.body.classList.toggle('given', hello.experiment !== 'paint');
  byId('plane').classList.toggle('paint', hello.experiment === 'paint' && !replaying);
  const noun = hello.experiment === 'paint' ? 'spots served' : 'modes served';
  byId('modesname').textContent = noun;
  byId('modestitle').firstChild.textContent = noun[0].toUpperCase() + noun.slice(1) + ' ';
  byId('settings').replaceChildren();
  for (const [name, setting] of Object.entries(hello.settings)) {
    controls[name] = byId('settings').appendChild(control(name, setting));
  }
  byId('speed').replaceChildren(...hello.speeds.map((speed) => new Option(speed)));
  byId('cures').replaceChildren(...Object.entries(hello.cures).map(([name, cure]) => {
    const button = document.createElement('button'), hint = document.createElement('small');
    button.id = 'cure-' + name;
    button.textContent = cure.label;
    hint.textContent = cure.hint;
    button.append(hint);
    button.disabled = replaying;
    button.addEventListener('click', () => ask({do: 'cure', name}));
    return button;
  }));
}

// ---- what is shown ---------------------------------------------------------------------------------------------

function take(news) {
  const restarted = frame && news.step < frame.step;
  frame = news;
  if (restarted) rows = [];
  if (news.curve) rows.push(news.curve);
  if (rows.length > 1500) rows = rows.filter((_, i) => i % 2 === 0);
  if (!dirty) { dirty = true; requestAnimationFrame(update); }
}

function update() {
  dirty = false;
  if (!frame || !hello) return;
  for (const [name, box] of Object.entries(controls)) box.put(frame.set[name]);
  for (const [name, cure] of Object.entries(hello.cures)) {
    const now = Object.entries(cure.set).every(([key, value]) => frame.set[key] === value);
    byId('cure-' + name).setAttribute('aria-pressed', String(now));
  }
  byId('play').textContent = frame.playing ? 'Pause' : 'Play';
  if (document.activeElement !== byId('seed')) byId('seed').value = frame.seed;
  const shown = JSON.stringify([frame.averaged, frame.speed]);
  if (shown !== looked) {
    looked = shown;
    byId('averaged').checked = frame.averaged;
    byId('speed').value = frame.speed;
  }
  if (byId('verdict').textContent !== frame.words) {
    byId('verdict').textContent = frame.words;
    byId('verdict').className = 'verdict ' + frame.kind;
  }
  const served = frame.modes ? frame.modes.reduce((a, b) => a + b, 0) : 0;
  byId('modes').textContent = served + ' of ' + frame.spots.length;
  byId('quality').textContent = frame.quality === undefined ? '–' : Math.round(100 * frame.quality) + ' %';
  byId('stepno').textContent = frame.step;
  byId('sps').textContent = frame.playing ? frame.rates[1] : 0;
  byId('fps').textContent = frame.playing ? frame.rates[0] : 0;
  drawPlane(byId('plane'), frame, hello, cursor);
  drawCurves(byId('curves'), rows, [[1, 'd'], [2, 'g']]);
  drawCurves(byId('modecurve'), rows, [[3, 'modes']], [0, frame.spots.length || 1]);
}

// ---- the user's hand -------------------------------------------------------------------------------------------

byId('play').addEventListener('click', () => ask({do: frame && frame.playing ? 'pause' : 'play'}));
byId('step').addEventListener('click', () => ask({do: 'step'}));
byId('stepd').addEventListener('click', () => ask({do: 'step', who: 'discriminator'}));
byId('stepg').addEventListener('click', () => ask({do: 'step', who: 'generator'}));
byId('reset').addEventListener('click', () => { rows = []; ask({do: 'reset', seed: Math.round(+byId('seed').value)}); });
byId('clear').addEventListener('click', () => { rows = []; ask({do: 'clear'}); });
const look = () => ask({do: 'show', averaged: byId('averaged').checked, speed: byId('speed').value});
byId('averaged').addEventListener('change', look);
byId('speed').addEventListener('change', look);
document.addEventListener('keydown', (event) => {
  if (event.key === ' ' && event.target === document.body) { event.preventDefault(); byId('play').click(); }
});

const plane = byId('plane');
let stroke = [], sending = false;
async function paint(spot) {
  stroke.push(spot);
  if (sending) return;
  sending = true;
  while (stroke.length) { const spots = stroke; stroke = []; await ask({do: 'paint', spots}); }
  sending = false;
}
const paintable = () => hello && hello.experiment === 'paint' && !replaying;
function pointed(event) {
  const box = plane.getBoundingClientRect();
  const place = [2 * (event.clientX - box.left) / box.width - 1, 1 - 2 * (event.clientY - box.top) / box.height];
  return place.map((part) => +(Math.max(-0.98, Math.min(0.98, part)) * hello.extent).toFixed(4));
}
plane.addEventListener('pointerdown', (event) => {
  if (!paintable()) return;
  plane.setPointerCapture(event.pointerId);
  paint(pointed(event));
});
plane.addEventListener('pointermove', (event) => { if (paintable() && event.buttons) paint(pointed(event)); });
plane.addEventListener('keydown', (event) => {
  const way = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1]}[event.key];
  if (!paintable() || !(way || event.key === 'Enter')) return;
  event.preventDefault();
  cursor = cursor || [0, 0];
  if (way) cursor = cursor.map((part, i) => Math.max(-0.98 * hello.extent, Math.min(0.98 * hello.extent, part + 0.1 * way[i])));
  else paint(cursor);
  update();
});
plane.addEventListener('blur', () => { cursor = null; update(); });
window.addEventListener('resize', update);
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', update);

// ---- where frames come from ------------------------------------------------------------------------------------

function live() {
  const source = new EventSource('/events');
  source.addEventListener('hello', (event) => {
    hello = JSON.parse(event.data);
    rows = hello.curve.slice();
    frame = null;
    say('');
    build();
  });
  source.addEventListener('frame', (event) => take(JSON.parse(event.data)));
  source.addEventListener('end', (event) => {
    over = true;
    source.close();
    say('The session has ended: ' + JSON.parse(event.data) + '. What you see stays.', true);
    for (const one of document.querySelectorAll('button, input, select')) one.disabled = true;
  });
  source.addEventListener('error', () => {
    if (over) return;
    if (source.readyState === EventSource.CLOSED) {
      say('The laboratory refused this page: too many tabs show it, or it has ended.', true);
    } else say('The connection is lost; trying again.', true);
  });
}

function replay() {
  const frames = [];
  for (const one of recorded.frames) frames.push({...frames[frames.length - 1], curve: undefined, ...one});
  hello = recorded.hello;
  build();
  const bar = byId('moment');
  let timer = 0;
  bar.max = Math.max(0, frames.length - 1);
  bar.value = bar.max;
  const marks = (recorded.marks || []).map(({at, step, words}) => {
    const tick = document.createElement('i'), button = document.createElement('button');
    tick.style.left = `calc(8px + (100% - 16px) * ${at / Math.max(1, frames.length - 1)})`;
    tick.title = button.textContent = `step ${step}: ${words}`;
    button.addEventListener('click', () => { stop(); bar.value = at; show(); });
    byId('ticks').append(tick);
    byId('changes').append(button);
    return {at, button};
  });
  const show = () => {
    const now = +bar.value, last = marks.filter(({at}) => at <= now).pop();
    for (const one of marks) one.button.setAttribute('aria-pressed', String(one === last));
    let first = now;
    while (first > 0 && frames[first - 1].step <= frames[first].step) first--;
    rows = frames.slice(first, now + 1).map((one) => one.curve).filter(Boolean);
    frame = frames[now];
    if (frame) update();
  };
  const stop = () => { clearInterval(timer); timer = 0; byId('replay').textContent = 'Play'; };
  byId('replay').addEventListener('click', () => {
    if (timer) { stop(); return; }
    if (bar.value === bar.max) bar.value = 0;
    byId('replay').textContent = 'Pause';
    timer = setInterval(() => { bar.value = +bar.value + 1; show(); if (bar.value === bar.max) stop(); }, 80);
  });
  bar.addEventListener('input', () => { stop(); show(); });
  show();
}

if (replaying) replay(); else live();
