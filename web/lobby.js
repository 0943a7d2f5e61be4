// The lobby: starts games, and lists what the read model knows of all of them, as it changes.

import { ask, startGame } from "./api.js";
import { smallDisc } from "./disc.js";
import { fill, make, part, write } from "./dom.js";
import { follow } from "./live.js";
import { invitation, takeSeat } from "./seats.js";

/** Milliseconds between two looks at the lists. */
const PACE = 500;
const NEWS = 8;

const lists = [
  { place: "running", first: "/games?status=in_progress&limit=8", show: showGames, none: "Nobody plays. Start a game!" },
  { place: "finished", first: "/games?status=finished&limit=8", show: showGames, none: "No game is over yet." },
  { place: "players", first: "/players?sort=-won&limit=8", show: showPlayers, none: "Nobody has played yet." },
];

/** The newest events that were heard of, and the position of the first of them. */
const recent = [];
let position = null;

async function begin() {
  part("lobby").hidden = false;
  part("start").addEventListener("submit", start);
  part("start").addEventListener("change", ({ target, currentTarget: form }) => {
    const name = target.dataset.against;
    if (name) form.elements.player_two.value = name;
  });
  for (const list of lists) {
    list.url = list.first;
    await refresh(list);
  }
  write(part("position"), position ?? "none yet");
  follow("/events", { after: position, rests: true, onEvent: take, onState: showConnection });
}

async function start(submit) {
  submit.preventDefault();
  const form = new FormData(submit.target);
  const button = submit.target.querySelector("button");
  button.disabled = true;
  notice("");
  const lost = () => notice("No answer. Sending the same request again, with the same key.");
  const names = { player_one: form.get("player_one"), player_two: form.get("player_two") };
  const { body, problem } = await startGame({ ...names, protected: form.has("protected") }, lost);
  button.disabled = false;
  if (problem) return notice([problem.detail, ...(problem.errors ?? []).map((error) => error.detail)].join(" "));
  const seat = form.get("seat");
  const isRemembered = takeSeat(body.id, seat, body.tokens);
  location.assign(isRemembered ? `/games/${body.id}` : invitation(body.id, seat, [0, 1]));
}

/** An event of any game: the lists are about to change. */
function take(event) {
  position = event.position;
  // Another program may have named its stream like a game's.
  if (event.game_id) recent.unshift(event);
  recent.splice(NEWS);
  refreshSoon();
}

/** At most once in a while, however many events come. */
let timer = null;
function refreshSoon() {
  timer ??= setTimeout(async () => {
    showRecent();
    // The lists shall include the event that was heard of.
    const wanted = position;
    const headers = { "Event-Position": wanted, Prefer: "wait=5" };
    await Promise.allSettled(lists.map((list) => refresh(list, headers)));
    timer = null;
    if (position !== wanted) refreshSoon();
  }, PACE);
}

function showRecent() {
  part("silence").hidden = true;
  const row = (event) =>
    make(
      "li",
      {},
      make("code", {}, event.position),
      make("a", { href: `/games/${event.game_id}` }, make("b", {}, event.type), ` ${detail(event)}`),
    );
  fill(part("happening"), ...recent.map(row));
}

function detail({ type, data }) {
  switch (type) {
    case "GameStarted":
      return `${data.player_one} and ${data.player_two}`;
    case "MoveMade":
      return `${data.player} into ${data.column}`;
    default:
      return data.result.toLowerCase().replaceAll("_", " ");
  }
}

async function refresh(list, headers) {
  const { body, problem, headers: fields } = await ask(list.url, headers, (failure) =>
    complain(failure?.detail ?? "The service does not answer. Trying again…"),
  );
  if (problem) return complain(problem.detail);
  if (isComplaining) complain("");
  position ??= fields.get("Event-Position");
  write(part("position"), fields.get("Event-Position") ?? "none yet");
  list.show(part(list.place), body, list);
}

function showGames(place, { games, next }, list) {
  const turn = (game) => {
    if (!game.is_finished) return `${game.next_player}’s turn`;
    return { PLAYER_ONE_WON: `${game.player_one} won`, PLAYER_TWO_WON: `${game.player_two} won`, TIED: "a tie" }[game.result];
  };
  const row = (game) =>
    make(
      "li",
      {},
      make(
        "a",
        { href: `/games/${game.id}` },
        make("span", { class: "pair" }, smallDisc(0), game.player_one, smallDisc(1), game.player_two),
        make("span", { class: "turn" }, turn(game)),
        make("span", { class: "count" }, `revision ${game.revision}`),
      ),
    );
  const turnTo = (url) => () => {
    list.url = url;
    refresh(list);
  };
  const button = (label, url) => url && make("button", { type: "button", onclick: turnTo(url) }, label);
  fill(
    place,
    games.length ? make("ul", {}, ...games.map(row)) : make("p", { class: "none" }, list.none),
    make("p", { class: "pages" }, ...[button("Newest", list.url !== list.first && list.first), button("Older", next)].filter(Boolean)),
  );
}

function showPlayers(place, { players }, list) {
  if (!players.length) return fill(place, make("p", { class: "none" }, list.none));
  const head = ["Player", "Won", "Lost", "Tied", "Playing"].map((name) => make("th", { scope: "col" }, name));
  const row = ({ player, won, lost, tied, in_progress: playing }) =>
    make("tr", {}, make("th", { scope: "row" }, player), ...[won, lost, tied, playing].map((count) => make("td", {}, String(count))));
  fill(place, make("table", {}, make("thead", {}, make("tr", {}, ...head)), make("tbody", {}, ...players.map(row))));
}

/** Says what is wrong with the lists, until they are right again. */
let isComplaining = false;
function complain(words) {
  isComplaining = words !== "";
  notice(words);
}

function notice(words) {
  write(part("notice"), words);
}

function showConnection(connected) {
  part("connection").className = connected ? "live" : "lost";
  write(part("connection"), connected ? "Live" : "Connection lost. Trying again…");
}

begin();
