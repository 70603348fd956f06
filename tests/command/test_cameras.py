from tests.command.world import World


def test_registering_again_updates_the_facts_and_keeps_the_status() -> None:
    world = World()
    world.add_camera(status="live")
    world.add_camera(azimuth=90.0)
    camera = world.board.cameras["c1"]
    assert (camera.azimuth, camera.status, camera.version) == (90.0, "live", 2)
    assert [event.type for event in world.events[-2:]] == ["camera.registered", "camera.updated"]


def test_the_same_facts_say_nothing() -> None:
    world = World()
    world.add_camera()
    count = len(world.events)
    world.add_camera()
    assert len(world.events) == count
