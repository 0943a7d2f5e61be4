"""Plays a game with the Python client that openapi-generator generates as `openapi_client`."""

import sys
import uuid

import openapi_client
from openapi_client import ApiException, Column, MakeMove, Resign, StartGame

client = openapi_client.ApiClient(openapi_client.Configuration(host=sys.argv[1]))
games = openapi_client.GamesApi(client)
moves = openapi_client.MovesApi(client)
events = openapi_client.EventsApi(client)
lists = openapi_client.ListsApi(client)
alice, bob = f"alice {uuid.uuid4()}", f"bob {uuid.uuid4()}"


def same(actual, expected):
    if actual != expected:
        raise SystemExit(f"{actual!r} instead of {expected!r}")


def move(game, player, column, **options):
    return moves.make_move(game.id, MakeMove(player=player, column=column), **options)


def refusal(status, request):
    try:
        answer = request()
    except ApiException as refused:
        same(refused.status, status)
        # Where a status has more than one type of problem, the client wraps the problem.
        return getattr(refused.data, "actual_instance", refused.data)
    raise SystemExit(f"{answer!r} instead of {status}")


players = StartGame(player_one=alice, player_two=bob)
game = games.start_game(players, idempotency_key=str(uuid.uuid4()))
same((game.revision, game.next_player, game.result, game.last_move), (0, alice, None, None))

refused = refusal(409, lambda: move(game, bob, "A"))
same((refused.type, refused.next_player), ("/problems/not-your-turn", alice))

invalid = refusal(400, lambda: move(game, alice, "D", if_match="0"))
same((invalid.type, invalid.header.lower()), ("/problems/invalid-precondition", "if-match"))

for revision, column in enumerate("DADADAD"):
    player = alice if revision % 2 == 0 else bob
    played = move(game, player, column, if_match=f'"{revision}"')
same((played.revision, played.is_finished, played.next_player), (8, True, None))
same(played.result, "PLAYER_ONE_WON")
same(played.winning_line, ["D1", "D2", "D3", "D4"])
same((played.last_move.number, played.last_move.column), (7, Column.D))
same((played.board["A"], played.board["D"]), (["RED"] * 3, ["YELLOW"] * 4))
same(games.show_game(game.id), played)
same(games.show_game(game.id, revision=0), game)

stale = refusal(412, lambda: move(game, alice, "A", if_match='"3"'))
same((stale.current_revision, len(stale.missed_events)), (8, 5))
finished = refusal(409, lambda: move(game, bob, "A"))
same((finished.type, finished.result), ("/problems/game-finished", "PLAYER_ONE_WON"))

made = moves.list_moves(game.id).moves
same("".join(move.column for move in made), "DADADAD")
same(moves.show_move(game.id, 7), made[6])

page = events.list_events(game.id)
types = ["GameStarted", *["MoveMade"] * 7, "GameFinished"]
same([event.type for event in page.events], types)
same(page.events[7].data, {"player": alice, "column": "D"})
same(page.next, None)
same([event.revision for event in events.list_events(game.id, after=1, limit=2).events], [2, 3])

other = games.put_game(uuid.uuid4(), players)
resigned = moves.resign_with_http_info(other.id, Resign(player=alice))
same((resigned.data.result, resigned.data.winning_line), ("PLAYER_TWO_WON", None))

waiting = {"event_position": resigned.headers["event-position"], "prefer": "wait=5"}
listed = lists.list_games(player=alice, **waiting)
same([game.result for game in listed.games], ["PLAYER_TWO_WON", "PLAYER_ONE_WON"])
record = lists.show_player(alice, **waiting)
same((record.played, record.won, record.lost), (2, 1, 1))
same(record in lists.list_players(limit=100, **waiting).players, True)
everything = events.list_all_events(limit=100).events
same([event.type for event in everything if event.game_id == game.id], types)
