# SPDX-License-Identifier: Apache-2.0
"""The network files that can be imported: ROME's, DECA's, and those that training needs.

Does not know torch; the networks themselves are in rome_backend.models and load these tensors.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache

from rome_backend.assets import licences
from rome_backend.assets import network_shapes as shapes
from rome_backend.assets import network_shapes_inception as inception
from rome_backend.assets import network_shapes_more as more
from rome_backend.assets.content import TORCH, Content
from rome_backend.assets.kind import Converted, Kind, invalid, starts, state, state_dict
from rome_backend.assets.pickle_values import Tensor

ROME_PREFIXES = ("autoencoder.", "mesh_deformer.", "mlp_deformer.", "unet.")
_LPIPS_ALEX = (64, 192, 384, 256, 256)
_LPIPS_VGG = (64, 128, 256, 512, 512)


@lru_cache
def rome_shapes() -> shapes.Shapes:
    """Return the four networks of a ROME checkpoint under its own names."""
    parts = (shapes.texture_encoder(), shapes.unet(32), shapes.offsets_net(), shapes.unet(4))
    named = zip(ROME_PREFIXES, parts, strict=True)
    return shapes.joined(shapes.prefixed(prefix, part) for prefix, part in named)


def _strict(make: Callable[[], shapes.Shapes]) -> Callable[[Content], Converted]:
    def convert(content: Content) -> Converted:
        return Converted(*state(content, state_dict(content), make()))

    return convert


def _exact(make: Callable[[], shapes.Shapes]) -> Callable[[Content], Converted]:
    """Like _strict, for files that hold one network and nothing else."""

    def convert(content: Content) -> Converted:
        tensors, left = state(content, state_dict(content), make())
        if left:
            raise invalid(content, f"{left[0]} is unknown")
        return Converted(tensors)

    return convert


def _deca(content: Content) -> Converted:
    part = content.table().get("E_flame")
    if not isinstance(part, Mapping):
        raise invalid(content, "E_flame is missing")
    tensors, left = state(content, part, shapes.face_regressor())
    others = tuple(str(name) for name in content.table() if name != "E_flame")
    return Converted(tensors, left + others)


def _is_torch(*beginnings: str) -> Callable[[Content], bool]:
    return lambda content: content.form == TORCH and starts(content, *beginnings)


def _is_lpips(width: int) -> Callable[[Content], bool]:
    """Recognise LPIPS by the width of its second layer, where its backbones differ."""

    def recognise(content: Content) -> bool:
        if content.form != TORCH or not starts(content, "lin"):
            return False
        layer = state_dict(content).get("lin1.model.1.weight")
        found = layer.size[1:2] if isinstance(layer, Tensor) else (192,)
        return found == (width,) or (width == 192 and found not in ((128,), (192,)))

    return recognise


def _is_features(last: str, absent: str) -> Callable[[Content], bool]:
    """Recognise a torchvision classifier by the last convolution that it has."""

    def recognise(content: Content) -> bool:
        return (
            content.form == TORCH
            and starts(content, f"features.{last}.")
            and not starts(content, f"features.{absent}.", "features.0.0.")
        )

    return recognise


NETWORK_KINDS = (
    Kind("rome", "ROME's networks", licences.ROME,
         "rome.pth of ROME (Khakhulin et al., ECCV 2022), Samsung AI Center",
         _is_torch(*ROME_PREFIXES), _strict(rome_shapes)),
    Kind("deca", "DECA's face regressor", licences.DECA,
         "deca_model.tar of DECA (Feng et al., SIGGRAPH 2021), Max Planck Institute",
         lambda content: content.form == TORCH and "E_flame" in content.table(), _deca),
    Kind("rome-linear-offsets", "ROME's linear offset model", licences.ROME,
         "linear_hair.pth of ROME (Khakhulin et al., ECCV 2022), Samsung AI Center",
         _is_torch("layer1.", "layer4."), _exact(lambda: shapes.resnet50(60))),
    Kind("rome-camera", "ROME's mobile camera model", licences.ROME,
         "disp_model.pth of ROME (Khakhulin et al., ECCV 2022), Samsung AI Center",
         _is_torch("features.0.0.", "features.0.1."), _exact(lambda: shapes.mobilenet_v2(59))),
    Kind("vgg19", "VGG19", "BSD-3-Clause",
         "VGG19 of torchvision, trained on ImageNet (Simonyan and Zisserman 2015)",
         _is_features("34", "36"), _strict(shapes.vgg19)),
    Kind("alexnet", "AlexNet", "BSD-3-Clause",
         "AlexNet of torchvision, trained on ImageNet (Krizhevsky et al. 2012)",
         _is_features("10", "12"), _strict(shapes.alexnet)),
    Kind("vggface2-resnet50", "VGGFace2's ResNet-50", "CC-BY-SA-4.0",
         "resnet50_scratch_dag.pth, VGGFace2 (Cao et al. 2018), converted by S. Albanie",
         _is_torch("conv1_7x7_s2", "conv5_3_"), _strict(more.vggface2_resnet50)),
    Kind("gaze-vgg16", "rt_gene's gaze network", "CC-BY-NC-SA-4.0",
         "gaze model of RT-GENE (Fischer et al., ECCV 2018), VGG16 of the left eye",
         _is_torch("left_features."), _strict(shapes.gaze_vgg16)),
    Kind("lpips-alexnet", "LPIPS on AlexNet", "BSD-2-Clause",
         "linear layers of LPIPS (Zhang et al., CVPR 2018)",
         _is_lpips(192), _exact(lambda: shapes.lpips(_LPIPS_ALEX))),
    Kind("lpips-vgg16", "LPIPS on VGG16", "BSD-2-Clause",
         "linear layers of LPIPS (Zhang et al., CVPR 2018)",
         _is_lpips(128), _exact(lambda: shapes.lpips(_LPIPS_VGG))),
    Kind("inception-fid", "Inception v3 of the Frechet distance", "Apache-2.0",
         "pt_inception-2015-12-05-6726825d.pth, TensorFlow's Inception v3 (Szegedy et al. 2016), "
         "converted by pytorch-fid",
         _is_torch("Mixed_5b.", "Mixed_7c."), _strict(inception.inception)),
    Kind("modnet", "MODNet portrait matting", "Apache-2.0",
         "modnet_photographic_portrait_matting.ckpt of MODNet (Ke et al., AAAI 2022)",
         _is_torch("hr_branch.", "lr_branch."), _strict(more.modnet)),
    Kind("bisenet", "BiSeNet face parsing", "CelebAMask-HQ-noncommercial-research",
         "79999_iter.pth of face-parsing.PyTorch, BiSeNet trained on CelebAMask-HQ",
         _is_torch("cp.resnet.", "ffm."), _strict(more.bisenet)),
    Kind("hyperiqa", "HyperIQA picture quality", "MIT",
         "koniq_pretrained.pkl of HyperIQA (Su et al., CVPR 2020), trained on KonIQ-10k",
         _is_torch("res.lda1_pool.", "fc1w_conv."), _strict(more.hyperiqa)),
)  # fmt: skip
