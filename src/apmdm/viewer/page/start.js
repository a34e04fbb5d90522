// The page begins: with the films in it, or by asking what to run.
"use strict";

const given = JSON.parse($("data").textContent);
const player = new Player();
if (given.films.length) player.open(given.films.map((data) => new Film(data)));
if (given.live) new Live(player);
