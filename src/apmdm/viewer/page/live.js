// The live page: a problem is typed in, and the run is watched while it goes on.
"use strict";

class Live {
  constructor(player) {
    this.player = player;
    this.tasks = given.live.tasks;
    $("lead").textContent = "Choose a task, type or paste a problem, and watch the run state by state.";
    $("ask").hidden = false;
    $("runs").append(element("p", { class: "note" }, "The run will be shown here."));
    $("task").append(...this.tasks.map(({ name }) => element("option", { value: name }, name)));
    $("task").addEventListener("change", () => this.choose());
    $("ask").addEventListener("submit", (event) => { event.preventDefault(); this.run(); });
    $("stop").addEventListener("click", () => this.stopper && this.stopper.abort());
    $("example").addEventListener("click", () => this.example());
    $("empty").addEventListener("click", () => this.fill(""));
    $("text").addEventListener("keydown", (event) => event.key === "Enter" && event.ctrlKey && this.run());
    this.choose();
  }

  choose() {
    const task = this.task = this.tasks.find(({ name }) => name === $("task").value);
    $("by").replaceChildren(...task.by.map((name) => element("option", { value: name }, name)));
    $("form").textContent = task.form === "a problem" ? task.about : `${task.about} A problem is ${task.form}.`;
    $("options").replaceChildren(...task.options.map((option) => this.field(option)));
    this.cells(task.grid);
    this.at = 0;
    this.take(task.examples && task.examples[0]);
    $("example").hidden = !task.examples || task.examples.length < 2;
    this.say("");
  }

  field({ name, help, flag, value }) {
    const input = element("input", { type: flag ? "checkbox" : "text", "data-option": name, title: help });
    if (flag) input.checked = value; else input.value = value === null ? "" : value;
    return flag ? element("label", { class: "check", title: help }, input, ` ${name}`) : element("label", { title: help }, `${name} `, input);
  }

  example() {
    const { examples } = this.task;
    this.at = (this.at + 1) % Math.max(1, examples.length);
    this.take(examples[this.at]);
  }

  take(example) {
    const [text, options] = example || ["", {}];
    this.fill(text);
    for (const input of $("options").querySelectorAll("[data-option]"))
      if (input.dataset.option in options) input.value = options[input.dataset.option];
  }

  // A grid of cells, if the problems of the task can be typed so.
  cells(grid) {
    const box = $("cells");
    box.hidden = !grid;
    $("text-label").hidden = Boolean(grid) || this.task.text === false;
    $("empty").hidden = this.task.text === false;
    box.replaceChildren();
    this.inputs = [];
    if (!grid) return;
    box.style.setProperty("--columns", grid.columns);
    for (let index = 0; index < grid.columns * grid.rows; index++) {
      const row = Math.floor(index / grid.columns), column = index % grid.columns;
      const input = element("input", { inputmode: "text", autocomplete: "off", "aria-label": `row ${row + 1}, column ${column + 1}` });
      if (grid.box && column && column % grid.box === 0) input.dataset.left = "";
      if (grid.box && row && row % grid.box === 0) input.dataset.top = "";
      input.addEventListener("input", () => this.typed(index, input.value));
      input.addEventListener("focus", () => input.select());
      input.addEventListener("keydown", (event) => this.walk(event, index, grid.columns));
      input.addEventListener("paste", (event) => {
        const text = event.clipboardData.getData("text").replace(/[^0-9A-Za-z.*_]/g, "");
        if (text.length < 2) return;
        event.preventDefault();
        this.spread(index, text);
      });
      this.inputs.push(input);
      box.append(input);
    }
  }

  typed(index, text) {
    if (text.length > 1) return this.spread(index, text);
    if (/^[.0*_ ]$/.test(text)) this.inputs[index].value = "";
    if (text && this.inputs[index + 1]) this.inputs[index + 1].focus();
  }

  spread(index, text) {
    [...text].forEach((sign, offset) => {
      const input = this.inputs[index + offset];
      if (input) input.value = /[.0*_ ]/.test(sign) ? "" : sign;
    });
    (this.inputs[index + text.length] || this.inputs[this.inputs.length - 1]).focus();
  }

  walk(event, index, columns) {
    const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns };
    if (event.key === "Backspace" && !this.inputs[index].value && index) this.inputs[index - 1].focus();
    const next = this.inputs[index + steps[event.key]];
    if (!next) return;
    event.preventDefault();
    next.focus();
  }

  fill(text) {
    if (this.task.grid) this.inputs.forEach((input, index) => { input.value = /[.0]/.test(text[index] || ".") ? "" : text[index]; });
    else $("text").value = text;
  }

  problem() {
    return this.task.grid ? this.inputs.map((input) => input.value || ".").join("") : $("text").value;
  }

  options() {
    const told = {};
    for (const input of $("options").querySelectorAll("[data-option]")) {
      if (input.type === "checkbox") told[input.dataset.option] = input.checked;
      else if (input.value !== "") told[input.dataset.option] = input.value;
    }
    return told;
  }

  say(text, wrong = false) {
    $("status").textContent = text;
    $("status").classList.toggle("wrong", wrong);
  }

  async run() {
    if (this.stopper) return;
    this.stopper = new AbortController();
    this.busy(true);
    this.say("Asked for a run.");
    this.film = null;
    try {
      const body = JSON.stringify({ task: this.task.name, by: $("by").value, problem: this.problem(), options: this.options() });
      const answer = await fetch("run", {
        method: "POST", body, headers: { "Content-Type": "application/json" }, signal: this.stopper.signal,
      });
      if (!answer.ok) return this.say((await answer.text()).trim(), true);
      await this.read(answer.body.pipeThrough(new TextDecoderStream()).getReader());
    } catch (error) {
      this.say(error.name === "AbortError" ? "Stopped." : `The server does not answer: ${error.message}`, error.name !== "AbortError");
    } finally {
      this.stopper = null;
      this.busy(false);
      if (this.film) this.finish();
    }
  }

  busy(running) {
    $("run").disabled = running;
    $("stop").hidden = !running;
  }

  // Server-sent events: `event: name` and `data: JSON`, ended by an empty line.
  async read(reader) {
    let rest = "";
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      const parts = (rest + value).split("\n\n");
      rest = parts.pop();
      for (const part of parts) {
        const found = /^event: (\w+)\ndata: ([^]*)$/.exec(part);
        if (found) this.hear(found[1], JSON.parse(found[2]));
      }
    }
  }

  hear(name, told) {
    if (name === "queued") this.say(told.before ? `Busy: ${told.before} ${told.before === 1 ? "run is" : "runs are"} before this one.` : "Starting.");
    if (name === "opening") this.begin(told);
    if (name === "frames") this.more(told);
    if (name === "error") this.say(told.message, true);
    if (name === "end") {
      this.film.about = { ...this.film.about, ...told };
      this.view.tell(this.film.about);
      const { status, stop, stopped_by: limit } = told, wrong = status === "unsolved";
      this.say(`${status} after ${digits(this.film.last)} steps${limit ? `; ended by ${limit}` : stop ? `; ${stop}` : ""}`, wrong);
    }
  }

  begin(opening) {
    this.film = new Film({ ...opening, frames: opening.frames });
    this.film.ended = false;
    const before = $("beside").checked ? this.before : null;
    this.player.open(before ? [before, this.film] : [this.film]);
    this.view = this.player.views[this.player.views.length - 1];
    this.follows = true;
    this.say("Running.");
    if (innerWidth <= 860) $("runs").scrollIntoView({ block: "start" });
  }

  more(frames) {
    const atEnd = this.player.number >= this.film.last;
    for (const frame of frames) this.film.add(frame);
    this.player.grown();
    this.player.go(atEnd ? this.player.last : this.player.number);
  }

  finish() {
    this.film.ended = true;
    this.film.data.frames = null;
    this.before = this.film;
    this.player.compare();
    this.player.grown();
    this.player.draw();
  }
}
