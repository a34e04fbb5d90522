// A film replayed: any frame from the nearest frame before it that was kept whole. The format is that of film.py.
"use strict";

const MASK = 1, NEW = -1;
const KEPT_EVERY = 4096; // tokens: frames of so many together are replayed from one that was kept whole
const OPERATIONS = ["unmask", "insert", "remask", "delete", "wait"];

class Film {
  constructor(data) {
    this.about = data.about || {};
    this.symbols = data.symbols;
    this.kind = data.kind;
    this.data = data;
    this.frames = [];
    this.palette = [];
    this.kept = []; // for each frame the last one, up to it, that was kept whole
    this.since = 0; // tokens of the frames since
    this.lengths = [];
    this.depths = [];
    this.counts = []; // of the operations, in their order, frame by frame
    this.totals = []; // the same, summed over all frames before
    this.work = []; // lengths, summed over all frames before
    this.ended = true;
    for (const frame of data.frames) this.add(frame);
  }

  get last() { return this.frames.length - 1; }

  add(frame) {
    const number = this.frames.length;
    if (frame.items) this.palette.push(...frame.items);
    const whole = number ? follow(this.end, this.frames[number - 1], frame) : begin(frame);
    this.frames.push(frame);
    this.end = whole;
    this.since += whole.tokens.length;
    const keeps = !number || this.since >= KEPT_EVERY;
    if (keeps) this.since = 0;
    this.kept.push(keeps ? whole : this.kept[number - 1]);
    this.noted = this.noted || Boolean(whole.note);
    this.lengths.push(whole.tokens.length);
    this.depths.push(whole.depth);
    const before = number - 1;
    this.totals.push(number ? this.totals[before].map((sum, at) => sum + this.counts[before][at]) : [0, 0, 0, 0, 0]);
    this.work.push(number ? this.work[before] + this.lengths[before] : 0);
    this.counts.push(counted(frame, whole));
  }

  whole(number) {
    if (this.cached && this.cached.number === number) return this.cached;
    let whole = this.kept[number];
    if (this.cached && this.cached.number < number && this.cached.number > whole.number) whole = this.cached;
    while (whole.number < number) whole = follow(whole, this.frames[whole.number], this.frames[whole.number + 1]);
    return (this.cached = whole);
  }

  // What is shown of a frame: one object for each token, or for each item of the drawing.
  cells(number, asTokens) {
    const whole = this.whole(number), frame = this.frames[number];
    const deeds = deedsOf(frame, whole.tokens, number < this.last);
    if (asTokens || !this.kind) {
      whole.tokens.forEach((token, position) => { deeds[position].text = this.symbols[token]; });
      for (let at = 0; at < (frame.u || []).length; at += 2) deeds[frame.u[at]].becomes = this.symbols[frame.u[at + 1]];
      return deeds;
    }
    const placed = positions(whole), moved = number < this.last ? places(frame, whole) : null;
    const next = moved ? this.whole(number + 1) : null;
    this.cached = whole;
    return whole.items.map((item, index) => {
      const { t: text, l: level = 0, g: guess = 0, e: ends = null } = this.palette[item];
      const position = placed ? placed[index] : null;
      const cell = placed ? deeds[position] : { position, becomes: null, deed: "", inserts: false };
      Object.assign(cell, { text, mask: text === "_", level, guess, ends });
      if (cell.deed === "unmask" && next && next.span) {
        const found = this.palette[next.items[indexOf(next, moved[position])]];
        if (found) [cell.becomes, cell.level, cell.guess] = [found.t, found.l || 0, found.g || 0];
      }
      return cell;
    });
  }

  odds(number, position) {
    const told = this.frames[number].p;
    return told ? told[position] || [] : null;
  }
}

function begin(frame) {
  const [tokens, span] = [frame.t, frame.span || null];
  return { number: 0, tokens, items: changed([], frame), span, note: frame.n || "", depth: frame.l || 0 };
}

// The transition g, for the tokens and for what is drawn of them.
function follow(whole, step, frame) {
  const gone = new Set(step.d), followed = new Set(step.i);
  let tokens = whole.tokens.slice();
  for (const position of step.r || []) tokens[position] = MASK;
  for (let at = 0; at < (step.u || []).length; at += 2) tokens[step.u[at]] = step.u[at + 1];
  tokens = frame.t || shifted(tokens, gone, followed, MASK);
  const items = whole.span ? moved(whole, gone, followed) : whole.items;
  return {
    number: whole.number + 1, tokens, items: changed(items, frame),
    span: frame.span === undefined ? whole.span : frame.span,
    note: frame.n === undefined ? whole.note : frame.n, depth: frame.l === undefined ? whole.depth : frame.l,
  };
}

function moved({ items, span }, gone, followed) {
  if (!gone.size && !followed.size) return items;
  const [before, after, backwards] = span, around = (count) => Array(count).fill(NEW);
  const placed = backwards ? items.slice().reverse() : items;
  const out = shifted([...around(before), ...placed, ...around(after)], gone, followed, NEW);
  const inner = out.slice(before, out.length - after);
  return backwards ? inner.reverse() : inner;
}

// Values at the positions before a step, where they are after it.
function shifted(values, gone, followed, inserted) {
  if (!gone.size && !followed.size) return values;
  const out = [];
  for (let position = 0; position < values.length; position++) {
    if (gone.has(position)) continue;
    out.push(values[position]);
    if (followed.has(position)) out.push(inserted);
  }
  return out;
}

function changed(items, { c, x }) {
  if (!c && !x) return items;
  if (x) return [...items.slice(0, x[0]), ...x.slice(2), ...items.slice(x[0] + x[1])];
  items = items.slice();
  for (let at = 0; at < c.length; at += 2) items[c[at]] = c[at + 1];
  return items;
}

// Every position, with what the step does there.
function deedsOf(frame, tokens, goesOn) {
  const deeds = tokens.map((token, position) => ({
    position, text: "", becomes: null, mask: token === MASK, deed: goesOn && token === MASK ? "wait" : "",
    inserts: false, token: null, level: 0, guess: 0, ends: null,
  }));
  const written = frame.u || [];
  for (let at = 0; at < written.length; at += 2) {
    deeds[written[at]].deed = "unmask";
    deeds[written[at]].token = written[at + 1];
  }
  for (const position of frame.r || []) deeds[position].deed = "remask";
  for (const position of frame.d || []) deeds[position].deed = "delete";
  for (const position of frame.i || []) deeds[position].inserts = true;
  return deeds;
}

function counted(frame, whole) {
  const size = (list) => (list ? list.length : 0);
  const [written, gone] = [size(frame.u) / 2, size(frame.d)];
  const masks = whole.tokens.reduce((sum, token) => sum + (token === MASK), 0);
  return [written, size(frame.i), size(frame.r), gone, masks - written - gone];
}

// The position of every item.
function positions({ items, span }) {
  if (!span) return null;
  const [before, , backwards] = span;
  return items.map((_, index) => before + (backwards ? items.length - 1 - index : index));
}

function indexOf({ items, span }, position) {
  const index = position - span[0];
  return span[2] ? items.length - 1 - index : index;
}

// Where every position will be after the step.
function places(frame, { tokens }) {
  const gone = new Set(frame.d), followed = new Set(frame.i);
  let place = 0;
  return tokens.map((_, position) => {
    const here = place;
    place += gone.has(position) ? 0 : followed.has(position) ? 2 : 1;
    return here;
  });
}

// The first frame in which two films differ; null if they never do, or begin differently.
function divergence(first, second) {
  const told = (film, number) => film.whole(number).tokens.map((token) => film.symbols[token]).join("\u0000");
  if (!first.frames.length || !second.frames.length || told(first, 0) !== told(second, 0)) return null;
  const common = Math.min(first.last, second.last);
  for (let number = 1; number <= common; number++) if (told(first, number) !== told(second, number)) return number;
  return first.last === second.last ? null : common;
}
