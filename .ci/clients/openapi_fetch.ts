// Plays a game with openapi-fetch and the types that openapi-typescript generates as `api.d.ts`.

import { deepStrictEqual as same } from 'node:assert';
import createClient from 'openapi-fetch';
import type { components, paths } from './api.js';

type Column = components['schemas']['Column'];

// Without an Accept field, the answers are JSON and not text boards or streams.
type Json = 'application/json' | 'application/problem+json';
const client = createClient<paths, Json>({ baseUrl: process.argv[2] });
const alice = `alice ${crypto.randomUUID()}`;
const bob = `bob ${crypto.randomUUID()}`;

/** The data of an answer that is not an error. */
function data<T>(answer: { data?: T; error?: unknown }): T {
  if (answer.data === undefined) throw new Error(JSON.stringify(answer.error));
  return answer.data;
}

function move(id: string, player: string, column: Column, header: { 'If-Match'?: string } = {}) {
  const params = { path: { id }, header };
  return client.POST('/games/{id}/moves', { params, body: { player, column } });
}

const body = { player_one: alice, player_two: bob };
const started = await client.POST('/games', {
  params: { header: { 'Idempotency-Key': crypto.randomUUID() } },
  body,
});
const game = data(started);
const path = { id: game.id };
same([game.revision, game.next_player, game.result, game.last_move], [0, alice, null, null]);

const refused = await move(game.id, bob, 'A');
const problem = refused.error;
if (problem?.type !== '/problems/not-your-turn') throw new Error(JSON.stringify(refused.data));
same([problem.status, problem.next_player], [409, alice]);

const invalid = (await move(game.id, alice, 'D', { 'If-Match': '0' })).error;
if (invalid?.type !== '/problems/invalid-precondition') throw new Error(JSON.stringify(invalid));
same(invalid.header.toLowerCase(), 'if-match');

let played = game;
const columns: Column[] = ['D', 'A', 'D', 'A', 'D', 'A', 'D'];
for (const [revision, column] of columns.entries()) {
  const player = revision % 2 === 0 ? alice : bob;
  played = data(await move(game.id, player, column, { 'If-Match': `"${revision}"` }));
}
same([played.revision, played.is_finished, played.next_player], [8, true, null]);
same(played.result, 'PLAYER_ONE_WON');
same(played.winning_line, ['D1', 'D2', 'D3', 'D4']);
same([played.last_move?.number, played.last_move?.column], [7, 'D']);
same([played.board.A.length, played.board.D[0]], [3, 'YELLOW']);
same(data(await client.GET('/games/{id}', { params: { path } })), played);
const first = { path, query: { revision: 0 } };
same(data(await client.GET('/games/{id}', { params: first })), game);

const stale = (await move(game.id, alice, 'A', { 'If-Match': '"3"' })).error;
if (stale?.type !== '/problems/revision-mismatch') throw new Error(JSON.stringify(stale));
same([stale.current_revision, stale.missed_events.length], [8, 5]);

const { moves } = data(await client.GET('/games/{id}/moves', { params: { path } }));
same(moves.map((move) => move.column), columns);

const page = data(await client.GET('/games/{id}/events', { params: { path } }));
const types = ['GameStarted', ...columns.map(() => 'MoveMade'), 'GameFinished'];
same(page.events.map((event) => event.type), types);
same(page.events[7].data, { player: alice, column: 'D' });

const other = { path: { id: crypto.randomUUID() } };
data(await client.PUT('/games/{id}', { params: other, body }));
const resigning = await client.POST('/games/{id}/resignation', {
  params: other,
  body: { player: alice },
});
same(data(resigning).result, 'PLAYER_TWO_WON');

const position = resigning.response.headers.get('Event-Position') ?? '';
const header = { 'Event-Position': position, Prefer: 'wait=5' };
const listed = await client.GET('/games', { params: { query: { player: alice }, header } });
same(data(listed).games.map((game) => game.result), ['PLAYER_TWO_WON', 'PLAYER_ONE_WON']);
const record = await client.GET('/players/{name}', { params: { path: { name: alice }, header } });
same([data(record).won, data(record).lost], [1, 1]);
data(await client.GET('/players', { params: { header } }));
const everything = await client.GET('/events', { params: { query: { limit: 100 } } });
const recorded = data(everything).events.filter((event) => event.game_id === game.id);
same(recorded.map((event) => event.type), types);
