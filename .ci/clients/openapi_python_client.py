"""Plays a game with the client that openapi-python-client generates as `connect_four_client`."""

import sys
import uuid

from connect_four_client import Client
from connect_four_client.api.events import list_all_events, list_events
from connect_four_client.api.games import put_game, show_game, start_game
from connect_four_client.api.lists import list_games, list_players, show_player
from connect_four_client.api.moves import list_moves, make_move, resign, show_move
from connect_four_client.models import Column, MakeMove, Problem, Resign, StartGame

# A response that the document does not describe is an error.
client = Client(base_url=sys.argv[1], raise_on_unexpected_status=True)
alice, bob = f"alice {uuid.uuid4()}", f"bob {uuid.uuid4()}"


def same(actual, expected):
    if actual != expected:
        raise SystemExit(f"{actual!r} instead of {expected!r}")


def move(game, player, column, **options):
    return make_move.sync(game.id, client=client, body=MakeMove(player, Column(column)), **options)


players = StartGame(alice, bob)
game = start_game.sync(client=client, body=players, idempotency_key=str(uuid.uuid4()))
same((game.revision, game.next_player, game.result, game.last_move), (0, alice, None, None))

refused = move(game, bob, "A")
same(type(refused), Problem)
same((refused.status, refused.type_), (409, "/problems/not-your-turn"))
same(refused["next_player"], alice)
invalid = move(game, alice, "D", if_match="0")
same((invalid.type_, invalid["header"].lower()), ("/problems/invalid-precondition", "if-match"))

for revision, column in enumerate("DADADAD"):
    player = alice if revision % 2 == 0 else bob
    played = move(game, player, column, if_match=f'"{revision}"')
same((played.revision, played.is_finished, played.next_player), (8, True, None))
same(played.result, "PLAYER_ONE_WON")
same(played.winning_line, ["D1", "D2", "D3", "D4"])
same((played.last_move.number, played.last_move.column), (7, Column.D))
same((played.board["A"], played.board["D"]), (["RED"] * 3, ["YELLOW"] * 4))
same(show_game.sync(game.id, client=client), played)
same(show_game.sync(game.id, client=client, revision=0), game)
same(show_game.sync_detailed(game.id, client=client, if_none_match='"8"').status_code, 304)

stale = move(game, alice, "A", if_match='"3"')
same((stale.status, stale["current_revision"], len(stale["missed_events"])), (412, 8, 5))
finished = move(game, bob, "A")
same((finished.type_, finished["result"]), ("/problems/game-finished", "PLAYER_ONE_WON"))

moves = list_moves.sync(game.id, client=client).moves
same("".join(move.column for move in moves), "DADADAD")
same(show_move.sync(game.id, 7, client=client), moves[6])

events = list_events.sync(game.id, client=client)
types = ["GameStarted", *["MoveMade"] * 7, "GameFinished"]
same([event.type_ for event in events.events], types)
same(events.events[7].data, {"player": alice, "column": "D"})
same(events.next_, None)
page = list_events.sync(game.id, client=client, after=1, limit=2)
same([event.revision for event in page.events], [2, 3])

other = put_game.sync(uuid.uuid4(), client=client, body=players)
resigned = resign.sync_detailed(other.id, client=client, body=Resign(alice))
same((resigned.parsed.result, resigned.parsed.winning_line), ("PLAYER_TWO_WON", None))

waiting = {"event_position": resigned.headers["Event-Position"], "prefer": "wait=5"}
games = list_games.sync(client=client, player=alice, **waiting)
same([game.result for game in games.games], ["PLAYER_TWO_WON", "PLAYER_ONE_WON"])
record = show_player.sync(alice, client=client, **waiting)
same((record.played, record.won, record.lost), (2, 1, 1))
same(record in list_players.sync(client=client, limit=100, **waiting).players, True)
everything = list_all_events.sync(client=client, limit=100).events
same([event.type_ for event in everything if event.game_id == game.id], types)
