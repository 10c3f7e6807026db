"""What schemathesis cannot know: that a file must be an image. It generates everything else."""
import base64
import os

import schemathesis
from hypothesis import strategies

with open(os.environ["PICTURE"], "rb") as file:
    picture = file.read()
schemathesis.openapi.format("binary", strategies.just(picture))
schemathesis.openapi.format("byte", strategies.just(base64.b64encode(picture).decode()))
for media_type in ["image/jpeg", "image/png", "image/webp", "application/octet-stream"]:
    schemathesis.openapi.media_type(media_type, strategies.just(picture))
