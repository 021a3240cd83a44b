# SPDX-License-Identifier: Apache-2.0
"""Names and shapes of the tensors of every network file that can be imported.

Does not know files, nor how a network computes.

Sources: rome-spec section 1 and rome-state-dict.txt for ROME's and DECA's networks; the published
architectures of torchvision's VGG, AlexNet and ResNet, VGGFace2's Caffe names, MODNet and BiSeNet.
"""

from __future__ import annotations

from collections.abc import Iterable

Shapes = dict[str, tuple[int, ...]]

_RESNET50 = ((64, 3), (128, 4), (256, 6), (512, 3))
_MOBILE = (
    (1, 16, 1), (6, 24, 2), (6, 32, 3), (6, 64, 4), (6, 96, 3), (6, 160, 3), (6, 320, 1),
)  # fmt: skip
_VGG16 = (64, 64, 0, 128, 128, 0, 256, 256, 256, 0, 512, 512, 512, 0, 512, 512, 512, 0)
_VGG19 = (
    64, 64, 0, 128, 128, 0, 256, 256, 256, 256, 0, 512, 512, 512, 512, 0, 512, 512, 512, 512, 0,
)  # fmt: skip


def conv(
    name: str, inputs: int, outputs: int, kernel: int, bias: bool = False, groups: int = 1
) -> Shapes:
    """Return the tensors of one convolution."""
    shapes: Shapes = {f"{name}.weight": (outputs, inputs // groups, kernel, kernel)}
    return shapes | ({f"{name}.bias": (outputs,)} if bias else {})


def linear(name: str, inputs: int, outputs: int, bias: bool = True) -> Shapes:
    """Return the tensors of one linear layer."""
    shapes: Shapes = {f"{name}.weight": (outputs, inputs)}
    return shapes | ({f"{name}.bias": (outputs,)} if bias else {})


def affine(name: str, channels: int) -> Shapes:
    """Return weight and bias of a group norm."""
    return {f"{name}.weight": (channels,), f"{name}.bias": (channels,)}


def batch_norm(name: str, channels: int) -> Shapes:
    """Return the tensors of a batch norm; its counter of batches may be absent."""
    statistics = {f"{name}.running_mean": (channels,), f"{name}.running_var": (channels,)}
    return affine(name, channels) | statistics


def joined(parts: Iterable[Shapes]) -> Shapes:
    """Return all parts as one."""
    return {name: shape for part in parts for name, shape in part.items()}


def prefixed(prefix: str, shapes: Shapes) -> Shapes:
    """Return the shapes with a prefix before each name."""
    return {prefix + name: shape for name, shape in shapes.items()}


def resnet50(outputs: int | None) -> Shapes:
    """Return torchvision's ResNet-50; ``outputs`` of its last layer, None without it."""
    parts = [conv("conv1", 3, 64, 7), batch_norm("bn1", 64)]
    channels = 64
    for stage, (width, blocks) in enumerate(_RESNET50, 1):
        for block in range(blocks):
            at = f"layer{stage}.{block}"
            parts += [conv(f"{at}.conv1", channels, width, 1), batch_norm(f"{at}.bn1", width)]
            parts += [conv(f"{at}.conv2", width, width, 3), batch_norm(f"{at}.bn2", width)]
            parts += [conv(f"{at}.conv3", width, 4 * width, 1)]
            parts += [batch_norm(f"{at}.bn3", 4 * width)]
            if block == 0:
                parts += [conv(f"{at}.downsample.0", channels, 4 * width, 1)]
                parts += [batch_norm(f"{at}.downsample.1", 4 * width)]
            channels = 4 * width
    return joined(parts) | (linear("fc", channels, outputs) if outputs else {})


def face_regressor() -> Shapes:
    """Return DECA's E_flame."""
    layers = linear("layers.0", 2048, 1024) | linear("layers.2", 1024, 236)
    return prefixed("encoder.", resnet50(None)) | layers


def mobilenet_v2(outputs: int | None) -> Shapes:
    """Return torchvision's MobileNetV2, which MODNet's backbone repeats in other names."""
    parts = [conv("features.0.0", 3, 32, 3), batch_norm("features.0.1", 32)]
    channels, number = 32, 1
    for expansion, width, blocks in _MOBILE:
        for _ in range(blocks):
            at, inner = f"features.{number}.conv", channels * expansion
            step = 0
            if expansion > 1:
                parts += [conv(f"{at}.0.0", channels, inner, 1), batch_norm(f"{at}.0.1", inner)]
                step = 1
            parts += [conv(f"{at}.{step}.0", inner, inner, 3, groups=inner)]
            parts += [batch_norm(f"{at}.{step}.1", inner)]
            parts += [conv(f"{at}.{step + 1}", inner, width, 1)]
            parts += [batch_norm(f"{at}.{step + 2}", width)]
            channels, number = width, number + 1
    parts += [conv("features.18.0", channels, 1280, 1), batch_norm("features.18.1", 1280)]
    return joined(parts) | (linear("classifier.1", 1280, outputs) if outputs else {})


def texture_encoder() -> Shapes:
    """Return ROME's E_tex under its official names."""
    rows = (
        (1, 256, 256), (2, 256, 256), (4, 256, 512), (5, 512, 512), (7, 512, 1024),
        (8, 1024, 1024), (10, 1024, 2048), (11, 2048, 2048), (12, 2048, 2048), (13, 2048, 1024),
        (15, 1024, 1024), (16, 1024, 512), (18, 512, 512), (19, 512, 256), (21, 256, 256),
        (22, 256, 256),
    )  # fmt: skip
    middles = {1: 64, 2: 64, 4: 128, 5: 128, 7: 256, 8: 256, 15: 256, 16: 256, 18: 128, 19: 128,
               21: 64, 22: 64}  # fmt: skip
    parts = [conv("net.0", 4, 256, 7)]
    for index, inputs, outputs in rows:
        middle = middles.get(index, 512)
        at = f"net.{index}.main"
        parts += [affine(f"{at}.0", inputs), conv(f"{at}.2", inputs, middle, 1)]
        parts += [affine(f"{at}.3", middle), conv(f"{at}.5", middle, middle, 3)]
        parts += [affine(f"{at}.6", middle), conv(f"{at}.8", middle, middle, 3)]
        parts += [affine(f"{at}.9", middle), conv(f"{at}.11", middle, outputs, 1)]
        if inputs != outputs:
            parts += [conv(f"net.{index}.skip", inputs, outputs, 1)]
    return joined([*parts, affine("net.23", 256), conv("net.25", 256, 8, 1, bias=True)])


def unet(outputs: int) -> Shapes:
    """Return ROME's E_geom (32 outputs) or E_img (4)."""
    groups = (("encoder.0", 47, 64, 128), ("encoder.1", 128, 128, 256),
              ("encoder.2", 256, 256, 512), ("encoder.3", 512, 512, 512),
              ("decoder.0", 1024, 512, 256), ("decoder.1", 512, 256, 128),
              ("decoder.2", 256, 128, 64))  # fmt: skip
    parts = []
    for name, inputs, middle, width in groups:
        at = f"{name}.0.main"
        parts += [conv(f"{at}.0", inputs, middle, 3), affine(f"{at}.1", middle)]
        parts += [conv(f"{at}.3", middle, width, 3), affine(f"{at}.4", width)]
    return joined([*parts, conv("to_outputs", 64, outputs, 1, bias=True)])


def offsets_net() -> Shapes:
    """Return ROME's G_geom."""
    first = [(58, 256), (256, 256), (256, 256), (256, 256)]
    second = [(314, 256), (256, 256), (256, 256), (256, 256)]
    parts = [linear(f"block_1.{2 * n}", *size) for n, size in enumerate(first)]
    parts += [linear(f"block_2.{2 * n}", *size) for n, size in enumerate(second)]
    return joined([*parts, linear("block_2.8", 256, 3, bias=False)])


def vgg_features(plan: tuple[int, ...]) -> Shapes:
    """Return the convolutions of a torchvision VGG; 0 in the plan is a pooling."""
    parts, channels, index = [], 3, 0
    for width in plan:
        if width:
            parts.append(conv(f"{index}", channels, width, 3, bias=True))
            channels = width
        index += 2 if width else 1
    return joined(parts)


def vgg19() -> Shapes:
    """Return the convolutions of torchvision's VGG19."""
    return prefixed("features.", vgg_features(_VGG19))


def gaze_vgg16() -> Shapes:
    """Return the convolutions of one eye's VGG16 in rt_gene's gaze network."""
    return prefixed("left_features.", vgg_features(_VGG16))


def alexnet() -> Shapes:
    """Return the convolutions of torchvision's AlexNet, LPIPS's backbone."""
    rows = ((0, 3, 64, 11), (3, 64, 192, 5), (6, 192, 384, 3), (8, 384, 256, 3), (10, 256, 256, 3))
    return joined(conv(f"features.{at}", i, o, k, bias=True) for at, i, o, k in rows)


def lpips(widths: tuple[int, ...]) -> Shapes:
    """Return LPIPS's linear layers: (64, 192, 384, 256, 256) for AlexNet, or VGG's widths."""
    return joined(conv(f"lin{n}.model.1", width, 1, 1) for n, width in enumerate(widths))
