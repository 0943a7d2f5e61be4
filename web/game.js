// A game: events come in and become the board; moves go out and become events.

import { ask, makeMove } from "./api.js";
import { announce } from "./announcer.js";
import { boardIn } from "./board.js";
import { columnsIn } from "./columns.js";
import { smallDisc } from "./disc.js";
import { fill, make, part, write } from "./dom.js";
import { eventsIn } from "./events.js";
import { fold, winner } from "./fold.js";
import { follow } from "./live.js";
import { acceptInvitation, forgetToken, invitation, seatIn, sidesOf, takeSeat, tokenOf } from "./seats.js";
import { timeline } from "./timeline.js";
import { showListening, showWire } from "./wire.js";
import { eventInWords, stateInWords } from "./words.js";

const id = location.pathname.split("/")[2];
const path = `/games/${id}/events`;

const PROTECTED = "This game is protected: only its players can move, each with their own link.";

/** Everything that this page knows of the game. */
const events = [];
/** The revision that somebody looks at; null is now, whatever comes. */
let looksAt = null;
/** How many events came while somebody looked at an earlier revision. */
let unseen = 0;
/** The move that was sent and is not among the events yet. */
let sent = null;
let seat = null;
let isProtected = false;
let live = null;

const board = boardIn(part("board"), point);
const columns = columnsIn(part("board"), drop);
const list = eventsIn(part("events"), { onShow: (revision) => controls.go(revision), onPoint: point });
const controls = timeline(look);

/** The history first, then what comes after it: no event is missed in between. */
async function begin() {
  acceptInvitation(id);
  seat = seatIn(id);
  showWire();
  showListening(path);
  const lost = () => showConnection(false);
  const game = await ask(`/games/${id}`, {}, lost);
  isProtected = game.body?.protected;
  if (!canSit(seat)) seat = null;
  const history = await ask(`${path}?limit=100`, {}, lost);
  if (history.problem) return notice(history.problem);
  events.push(...history.body.events);
  const wanted = Number(new URLSearchParams(location.search).get("revision") ?? Infinity);
  if (wanted < events.length - 1) looksAt = wanted;
  showSeats();
  part("game").hidden = false;
  show();
  if (fold(events).result) return showOver();
  live = follow(path, { after: events.at(-1).revision, onEvent: take, onState: showConnection });
}

/** Takes in an event of the stream. Nothing else changes the board. */
function take(event) {
  // A new connection may repeat events.
  if (event.revision !== events.length) return;
  events.push(event);
  if (sent && sent.revision < event.revision) sent = null;
  if (looksAt !== null) unseen += 1;
  else notice(null);
  const game = fold(events);
  const next = game.result ? "" : `. ${stateInWords(game)}`;
  announce(`${eventInWords(event, game)}${next}.`);
  if (game.result) {
    live.stop();
    showOver();
  }
  show();
}

/** Sends a move. Whether it is one is for the service to say. */
async function drop(column) {
  const game = fold(events);
  const sides = sidesOf(seat);
  if (looksAt !== null) {
    return notice({ title: "This is the past", detail: "It cannot be changed. Go back to now to play." });
  }
  if (!sides.length) {
    return notice({ title: "You are watching", detail: isLocked() ? PROTECTED : "Choose below the board who you play." });
  }
  if (sent) return;
  const side = sides.includes(game.next) ? game.next : sides[0];
  const move = { player: game.players[side], column, revision: game.revision };
  sent = move;
  notice(null);
  show();
  const token = isProtected && tokenOf(id, side);
  const answer = await makeMove(id, move.player, column, move.revision, token, (problem) =>
    notice({
      title: problem?.title ?? "The answer was lost",
      detail: "Sending the same move again, with the same key, so that it is made once.",
    }),
  );
  if (answer.problem) {
    if (answer.status === 401) forgetToken(id, side);
    if (sent === move) sent = null;
    notice(answer.problem);
    show();
  } else {
    notice(null);
    // The event comes by the stream, if it is connected.
    if (events.length <= answer.body.revision && !isConnected) live.refresh();
  }
}

/** Looks at a revision, or with null at what is now. */
function look(revision) {
  looksAt = revision;
  if (revision === null) unseen = 0;
  notice(null);
  show();
  rememberInAddress();
}

/** The address is that of the revision, soon: browsers limit how often it may change. */
let soon = null;
function rememberInAddress() {
  clearTimeout(soon);
  soon = setTimeout(() => {
    const query = looksAt === null ? "" : `?revision=${looksAt}`;
    history.replaceState(null, "", location.pathname + query);
  }, 150);
}

function show() {
  const newest = events.length - 1;
  const revision = looksAt ?? newest;
  const game = fold(events.slice(0, revision + 1));
  const sides = sidesOf(seat);
  const state = stateInWords(game);
  board.show(game);
  columns.show(game, looksAt === null && sides.includes(game.next) ? game.next : null);
  list.show(events, game);
  controls.show(revision, newest, `Revision ${revision} of ${newest}: ${eventInWords(events[revision], game)}`);
  write(part("revision"), String(revision));
  write(part("newest"), String(newest));
  write(part("folded"), revision === 0 ? "event 0" : `events 0 to ${revision}`);
  write(part("state"), state);
  document.body.classList.toggle("past", looksAt !== null);
  document.title = `${state} · ${game.players.join(" and ")} · Connect Four`;
  write(part("news"), unseen === 0 ? "" : unseen === 1 ? "1 new event" : `${unseen} new events`);
  showHint(game);
  ["one", "two"].forEach((name, side) => {
    fill(part(`player-${name}`), smallDisc(side), game.players[side]);
    part(`player-${name}`).classList.toggle("next", (game.next ?? winner(game)) === side);
  });
}

/** What there is to know now: a move on its way, or what to do after the end. */
function showHint(game) {
  const onItsWay = sent && `Sent: ${sent.player} into ${sent.column}. It will be on the board once it is an event.`;
  const another = game.result && looksAt === null && make("a", { href: "/" }, "Start another game");
  fill(part("hint"), onItsWay || another || null);
}

/** Points out an event in the stream and its disc on the board, or none. */
function point(revision) {
  board.point(revision);
  list.point(revision);
}

/** Shows a problem, in its own words, or none. */
function notice(problem) {
  fill(part("notice"), ...(problem ? [make("b", {}, problem.title), ` ${problem.detail}`] : []));
}

let isConnected = false;
function showConnection(connected) {
  isConnected = connected;
  part("connection").className = connected ? "live" : "lost";
  write(part("connection"), connected ? "Live" : "Connection lost. Trying again…");
}

function showOver() {
  part("connection").className = "over";
  write(part("connection"), "The stream is complete");
}

function showSeats() {
  const { players } = fold(events);
  const choices = [["one", players[0]], ["two", players[1]], ["both", "both, on this screen"], ["", "nobody: watch"]];
  const choice = ([value, label]) =>
    make(
      "label",
      {},
      make("input", { type: "radio", name: "seat", value, checked: (seat ?? "") === value, onchange: sit }),
      label,
    );
  const possible = choices.filter(([value]) => canSit(value));
  fill(part("seats"), make("legend", {}, "You play"), ...possible.map(choice));
  showInvitations();
}

/** In a protected game, whoever plays a side needs its token. */
function canSit(seat) {
  return !isProtected || sidesOf(seat).every((side) => tokenOf(id, side));
}

function isLocked() {
  return !canSit("one") && !canSit("two");
}

function sit(change) {
  seat = change.target.value || null;
  takeSeat(id, seat);
  notice(null);
  showInvitations();
  show();
}

/** A link for each side that nobody plays at this browser, if this browser has its token. */
function showInvitations() {
  const { players } = fold(events);
  const absent = ["one", "two"].filter((name) => seat && ![name, "both"].includes(seat) && canSit(name));
  const link = (name) =>
    make("p", {}, `Link for ${players[sidesOf(name)[0]]}: `, make("code", { class: "link" }, invitation(id, name)));
  fill(part("invitations"), ...absent.map(link), isLocked() ? make("p", {}, PROTECTED) : null);
}

begin();
