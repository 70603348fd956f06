"""The cameras' side door: what the video processes report becomes facts, and wishes become orders to them."""

from command.video.desk import VideoDesk
from command.video.wiring import FOLDER, pictures_folder

__all__ = ["FOLDER", "VideoDesk", "pictures_folder"]
