"""A camera is moved and asked through the whole service: a process of its own, a real SOAP device."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from streams.errors import NotAllowed, Unauthorized, Unsupported
from streams.gb28181.messages import Motion
from streams.onvif.messages import OnvifQuestion
from streams.service import Video
from streams.source import CameraSpec
from streams.wire import VideoSettings
from tests.streams.onvif.test_onvif import PASSWORD, device, head_of, source
from tests.streams.theatre import LOOPBACK, Told
from tests.streams.waiting import until

pytestmark = pytest.mark.slow


async def test_a_camera_is_asked_and_moved_through_its_own_process() -> None:
    async with device() as served:
        with tempfile.TemporaryDirectory() as folder:
            video = Video(VideoSettings(workers=1, networks=LOOPBACK), Told(), Path(folder))
            still = source(served, control_port=0)
            video.configure([CameraSpec(id="c", source=source(served)), CameraSpec(id="still", source=still)])
            await video.start()
            try:
                question = OnvifQuestion(
                    host="127.0.0.1", port=served.port, username="admin", password=PASSWORD
                )
                assert PASSWORD not in repr(question)
                said = await video.ask_onvif(question)
                assert next(profile.path for profile in said.profiles) == "ch1/main?a=1&b=2"
                assert said.ptz
                with pytest.raises(Unauthorized):
                    await video.ask_onvif(
                        OnvifQuestion(host="127.0.0.1", port=served.port, username="admin", password="no")
                    )
                with pytest.raises(NotAllowed):
                    await video.ask_onvif(OnvifQuestion(host="192.0.2.1"))
                head = head_of(served)
                before = head.aim()
                await video.move("c", Motion(pan=1.0))
                await until(lambda: head.aim() != before)
                await video.move("c", Motion())
                await video.preset("c", 3, save=True)
                assert 3 in [one.preset for one in await video.presets("c")]
                await video.preset("c", 3)
                with pytest.raises(Unsupported):
                    await video.move("still", Motion(pan=1.0))
            finally:
                await video.stop()
