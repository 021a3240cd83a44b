# SPDX-License-Identifier: Apache-2.0
"""Names and shapes of networks with names of their own: VGGFace2, MODNet, BiSeNet, HyperIQA.

Does not know files, nor how a network computes.

Sources: the published architectures (Cao et al. 2018; Ke et al. 2022; Yu et al. 2018; Su et al.
2020).
"""

from __future__ import annotations

from rome_backend.assets.network_shapes import (
    Shapes,
    batch_norm,
    conv,
    joined,
    linear,
    mobilenet_v2,
    prefixed,
    resnet50,
)

_STAGES = ((2, 64, 3), (3, 128, 4), (4, 256, 6), (5, 512, 3))
_HR = 32


def vggface2_resnet50() -> Shapes:
    """Return VGGFace2's ResNet-50 in the names of its Caffe original."""
    parts = [conv("conv1_7x7_s2", 3, 64, 7), batch_norm("conv1_7x7_s2_bn", 64)]
    channels = 64
    for stage, width, blocks in _STAGES:
        for block in range(1, blocks + 1):
            at = f"conv{stage}_{block}"
            rows = [(f"{at}_1x1_reduce", channels, width, 1), (f"{at}_3x3", width, width, 3),
                    (f"{at}_1x1_increase", width, 4 * width, 1)]  # fmt: skip
            if block == 1:
                rows.append((f"{at}_1x1_proj", channels, 4 * width, 1))
            for name, inputs, outputs, kernel in rows:
                parts += [conv(name, inputs, outputs, kernel), batch_norm(f"{name}_bn", outputs)]
            channels = 4 * width
    return joined(parts)


def _modnet_backbone() -> Shapes:
    """Return MobileNetV2 as MODNet names it: every block's layers in one flat sequence."""
    found = {}
    for name, shape in mobilenet_v2(None).items():
        parts = name.split(".")
        if parts[2] == "conv" and len(parts) == 6:  # conv.<step>.<0 or 1>.<tensor>
            parts = [*parts[:3], str(3 * int(parts[3]) + int(parts[4])), parts[5]]
        elif parts[2] == "conv":  # the projection and its norm
            first = parts[1] == "1"
            place = int(parts[3]) - (1 if first else 2) + (3 if first else 6)
            parts = [*parts[:3], str(place), parts[4]]
        found[".".join(parts)] = shape
    return prefixed("backbone.model.", found)


def _ibn_conv(name: str, inputs: int, outputs: int, kernel: int, norm: bool = True) -> Shapes:
    """Return a convolution whose output is half batch norm, half instance norm (no tensors)."""
    shapes = conv(f"{name}.layers.0", inputs, outputs, kernel, bias=True)
    return shapes | (batch_norm(f"{name}.layers.1.bnorm", outputs // 2) if norm else {})


def modnet() -> Shapes:
    """Return MODNet with MobileNetV2; its second listing of the backbone is left out."""
    low, high, fused = "lr_branch", "hr_branch", "f_branch"
    rows = [
        (f"{low}.conv_lr16x", 1280, 96, 5), (f"{low}.conv_lr8x", 96, 32, 5),
        (f"{high}.tohr_enc2x", 16, _HR, 1), (f"{high}.conv_enc2x", _HR + 3, _HR, 3),
        (f"{high}.tohr_enc4x", 24, _HR, 1), (f"{high}.conv_enc4x", 2 * _HR, 2 * _HR, 3),
        (f"{high}.conv_hr4x.0", 3 * _HR + 3, 2 * _HR, 3),
        (f"{high}.conv_hr4x.1", 2 * _HR, 2 * _HR, 3), (f"{high}.conv_hr4x.2", 2 * _HR, _HR, 3),
        (f"{high}.conv_hr2x.0", 2 * _HR, 2 * _HR, 3), (f"{high}.conv_hr2x.1", 2 * _HR, _HR, 3),
        (f"{high}.conv_hr2x.2", _HR, _HR, 3), (f"{high}.conv_hr2x.3", _HR, _HR, 3),
        (f"{high}.conv_hr.0", _HR + 3, _HR, 3), (f"{fused}.conv_lr4x", 32, _HR, 5),
        (f"{fused}.conv_f2x", 2 * _HR, _HR, 3), (f"{fused}.conv_f.0", _HR + 3, _HR // 2, 3),
    ]  # fmt: skip
    parts = [_modnet_backbone()]
    parts += [linear(f"{low}.se_block.fc.0", 1280, 320, bias=False)]
    parts += [linear(f"{low}.se_block.fc.2", 320, 1280, bias=False)]
    parts += [_ibn_conv(name, i, o, kernel) for name, i, o, kernel in rows]
    parts += [_ibn_conv(f"{low}.conv_lr", 32, 1, 3, norm=False)]
    parts += [_ibn_conv(f"{high}.conv_hr.1", _HR, 1, 1, norm=False)]
    return joined([*parts, _ibn_conv(f"{fused}.conv_f.1", _HR // 2, 1, 1, norm=False)])


def _unit(name: str, inputs: int, outputs: int, kernel: int) -> Shapes:
    return conv(f"{name}.conv", inputs, outputs, kernel) | batch_norm(f"{name}.bn", outputs)


def bisenet() -> Shapes:
    """Return BiSeNet for the 19 classes of face parsing (ResNet-18 context path alone)."""
    parts = [conv("cp.resnet.conv1", 3, 64, 7), batch_norm("cp.resnet.bn1", 64)]
    channels = 64
    for stage, width in enumerate((64, 128, 256, 512), 1):
        for block in range(2):
            at = f"cp.resnet.layer{stage}.{block}"
            parts += [conv(f"{at}.conv1", channels, width, 3), batch_norm(f"{at}.bn1", width)]
            parts += [conv(f"{at}.conv2", width, width, 3), batch_norm(f"{at}.bn2", width)]
            if channels != width:
                parts += [conv(f"{at}.downsample.0", channels, width, 1)]
                parts += [batch_norm(f"{at}.downsample.1", width)]
            channels = width
    for name, inputs in (("cp.arm16", 256), ("cp.arm32", 512)):
        parts += [_unit(f"{name}.conv", inputs, 128, 3), conv(f"{name}.conv_atten", 128, 128, 1)]
        parts += [batch_norm(f"{name}.bn_atten", 128)]
    parts += [_unit("cp.conv_head32", 128, 128, 3), _unit("cp.conv_head16", 128, 128, 3)]
    parts += [_unit("cp.conv_avg", 512, 128, 1), _unit("ffm.convblk", 256, 256, 1)]
    parts += [conv("ffm.conv1", 256, 64, 1), conv("ffm.conv2", 64, 256, 1)]
    for name, inputs, middle in (("conv_out", 256, 256), ("conv_out16", 128, 64),
                                 ("conv_out32", 128, 64)):  # fmt: skip
        parts += [_unit(f"{name}.conv", inputs, middle, 3), conv(f"{name}.conv_out", middle, 19, 1)]
    return joined(parts)


def hyperiqa() -> Shapes:
    """Return HyperIQA in the sizes of its released weights: 112 features of 7 x 7 places."""
    rows = [("conv1.0", 2048, 1024, 1), ("conv1.2", 1024, 512, 1), ("conv1.4", 512, 112, 1)]
    parts = [prefixed("res.", resnet50(None))]
    for number, (inputs, kept, places) in enumerate(((256, 16, 64), (512, 32, 16), (1024, 64, 4))):
        at = f"res.lda{number + 1}"
        parts += [conv(f"{at}_pool.0", inputs, kept, 1), linear(f"{at}_fc", kept * places, 16)]
    parts += [linear("res.lda4_fc", 2048, 176)]
    widths = (224, 112, 56, 28, 14)
    for number, (inputs, outputs) in enumerate(zip(widths, widths[1:], strict=False), 1):
        rows.append((f"fc{number}w_conv", 112, inputs * outputs // 49, 3))
        parts += [linear(f"fc{number}b_fc", 112, outputs)]
    parts += [linear("fc5w_fc", 112, 14), linear("fc5b_fc", 112, 1)]
    return joined([*parts, *(conv(name, i, o, kernel, bias=True) for name, i, o, kernel in rows)])
