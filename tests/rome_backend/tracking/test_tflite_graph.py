# SPDX-License-Identifier: Apache-2.0
"""Tests of rome_backend.tracking.tflite_graph: graphs written here and the real ones."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import flatbuffers
import numpy as np
import pytest
import tflite
import torch

from rome_backend.core.errors import FileInvalid
from rome_backend.tracking.tflite_graph import TfliteGraph

F16, F32 = tflite.TensorType.FLOAT16, tflite.TensorType.FLOAT32


def vector(builder: Any, start: Any, offsets: Sequence[int]) -> int:
    start(builder, len(offsets))
    for offset in reversed(offsets):
        builder.PrependUOffsetTRelative(offset)
    return builder.EndVector()


def ints(builder: Any, values: Sequence[int]) -> int:
    return builder.CreateNumpyVector(np.array(values, np.int32))


def tensor(builder: Any, name: str, shape: Sequence[int], kind: int, buffer: int) -> int:
    label, extent = builder.CreateString(name), ints(builder, shape)
    tflite.TensorStart(builder)
    tflite.TensorAddName(builder, label)
    tflite.TensorAddShape(builder, extent)
    tflite.TensorAddType(builder, kind)
    tflite.TensorAddBuffer(builder, buffer)
    return tflite.TensorEnd(builder)


def operator(builder: Any, code: int, inputs: Sequence[int], output: int) -> int:
    sources, targets = ints(builder, inputs), ints(builder, [output])
    tflite.OperatorStart(builder)
    tflite.OperatorAddOpcodeIndex(builder, code)
    tflite.OperatorAddInputs(builder, sources)
    tflite.OperatorAddOutputs(builder, targets)
    return tflite.OperatorEnd(builder)


def stored(builder: Any, data: bytes | None) -> int:
    content = None if data is None else builder.CreateNumpyVector(np.frombuffer(data, np.uint8))
    tflite.BufferStart(builder)
    if content is not None:
        tflite.BufferAddData(builder, content)
    return tflite.BufferEnd(builder)


def operator_code(builder: Any, code: int) -> int:
    tflite.OperatorCodeStart(builder)
    tflite.OperatorCodeAddDeprecatedBuiltinCode(builder, code)
    tflite.OperatorCodeAddBuiltinCode(builder, code)
    return tflite.OperatorCodeEnd(builder)


def subgraph(builder: Any, kind: int) -> int:
    image = (1, 2, 2, 3)
    tensors = [
        tensor(builder, "image", image, F32, 0),
        tensor(builder, "half", (1, 1, 3), kind, 1),
        tensor(builder, "slope", (1, 1, 3), F32, 0),
        tensor(builder, "leaky", image, F32, 0),
        tensor(builder, "answer", image, F32, 0),
    ]
    wiring = ([1], 2), ([0, 2], 3), ([3], 4)
    operators = [operator(builder, code, *ends) for code, ends in enumerate(wiring)]
    all_tensors = vector(builder, tflite.SubGraphStartTensorsVector, tensors)
    all_operators = vector(builder, tflite.SubGraphStartOperatorsVector, operators)
    inputs, outputs = ints(builder, [0]), ints(builder, [4, 3])
    tflite.SubGraphStart(builder)
    tflite.SubGraphAddTensors(builder, all_tensors)
    tflite.SubGraphAddOperators(builder, all_operators)
    tflite.SubGraphAddInputs(builder, inputs)
    tflite.SubGraphAddOutputs(builder, outputs)
    return tflite.SubGraphEnd(builder)


def graph_file(path: Path, second: int = tflite.BuiltinOperator.RELU, kind: int = F16) -> Path:
    """Write: image (1, 2, 2, 3) -> PRELU with a stored half-precision slope -> second operator."""
    b = flatbuffers.Builder(1024)
    slope = np.array([-1, 2, 0.5], np.float16).tobytes()
    buffers = [stored(b, None), stored(b, slope)]
    kinds = tflite.BuiltinOperator.DEQUANTIZE, tflite.BuiltinOperator.PRELU, second
    codes = [operator_code(b, code) for code in kinds]
    graphs = vector(b, tflite.ModelStartSubgraphsVector, [subgraph(b, kind)])
    all_codes = vector(b, tflite.ModelStartOperatorCodesVector, codes)
    all_buffers = vector(b, tflite.ModelStartBuffersVector, buffers)
    tflite.ModelStart(b)
    tflite.ModelAddVersion(b, 3)
    tflite.ModelAddSubgraphs(b, graphs)
    tflite.ModelAddOperatorCodes(b, all_codes)
    tflite.ModelAddBuffers(b, all_buffers)
    b.Finish(tflite.ModelEnd(b), file_identifier=b"TFL3")
    path.write_bytes(bytes(b.Output()))
    return path


def test_a_graph_runs_and_names_its_outputs(tmp_path: Path) -> None:
    graph = TfliteGraph(graph_file(tmp_path / "small.tflite"))
    assert graph.input_shape == (1, 2, 2, 3)
    assert graph.output_names == ("answer", "leaky")
    image = np.random.default_rng(0).normal(size=(1, 2, 2, 3)).astype(np.float32)
    outputs = graph(torch.from_numpy(image))
    leaky = np.where(image > 0, image, image * np.array([-1, 2, 0.5], np.float32))
    np.testing.assert_allclose(outputs["leaky"].numpy(), leaky, atol=1e-6)
    np.testing.assert_allclose(outputs["answer"].numpy(), np.maximum(leaky, 0), atol=1e-6)


def test_any_number_of_images_at_once(tmp_path: Path) -> None:
    graph = TfliteGraph(graph_file(tmp_path / "small.tflite"))
    images = torch.randn(5, 2, 2, 3)
    together = graph(images)["leaky"]
    for index in range(5):
        assert torch.equal(together[index], graph(images[index : index + 1])["leaky"][0])


def test_running_records_no_gradients(tmp_path: Path) -> None:
    graph = TfliteGraph(graph_file(tmp_path / "small.tflite"))
    image = torch.randn(1, 2, 2, 3, requires_grad=True)
    assert not graph(image)["answer"].requires_grad


@pytest.mark.parametrize(
    "changes", [{"second": tflite.BuiltinOperator.TANH}, {"kind": tflite.TensorType.COMPLEX64}]
)
def test_what_cannot_be_run_is_named(tmp_path: Path, changes: dict[str, int]) -> None:
    with pytest.raises(FileInvalid) as caught:
        TfliteGraph(graph_file(tmp_path / "small.tflite", **changes))
    assert caught.value.code == "tflite_operator"
    assert "small.tflite" in caught.value.message
    assert "TANH" in caught.value.message or "type" in caught.value.message


@pytest.mark.parametrize("data", [b"", b"TFL3", b"\x1c\0\0\0TFL2" + b"\0" * 64])
def test_another_file_is_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "small.tflite"
    path.write_bytes(data)
    with pytest.raises(FileInvalid) as caught:
        TfliteGraph(path)
    assert caught.value.code == "tflite_invalid"


def ramp(side: int) -> torch.Tensor:
    """A picture without meaning that every machine makes alike."""
    rows, columns = torch.meshgrid(torch.arange(side), torch.arange(side), indexing="ij")
    waves = [torch.sin(rows * a + columns * b) for a, b in ((0.07, 0.02), (0.03, -0.05), (0.11, 0))]
    return torch.stack(waves, -1)[None] * 0.5 + 0.5


GOLDEN = {
    "face_detection_short_range.tflite": (
        128,
        {
            "regressors": (6.3234, 22.0185),
            "classificators": (-4.1141, 3.3408),
        },
    ),
    "face_landmark_with_attention.tflite": (
        192,
        {
            "output_mesh_identity": (64.7081, 51.6875),
            "output_lips": (113.1531, 18.0547),
            "output_left_eye": (69.4255, 10.3332),
            "output_right_eye": (96.5739, 25.7420),
            "output_left_iris": (70.0046, 3.7001),
            "output_right_iris": (98.3257, 27.5228),
            "conv_faceflag": (-12.5716, 0.0000),
        },
    ),
    "selfie_segmentation.tflite": (
        256,
        {
            "activation_10": (0.3235, 0.2842),
        },
    ),
}


@pytest.mark.parametrize("name", GOLDEN)
def test_the_real_networks_answer_as_when_they_were_verified(
    tracker_models: Path, name: str
) -> None:
    """Mean and spread of every output; verified against MediaPipe itself when they were stored."""
    side, wanted = GOLDEN[name]
    outputs = TfliteGraph(tracker_models / name)(ramp(side))
    found = {
        key: (float(value.mean()), float(value.std(correction=0))) for key, value in outputs.items()
    }
    assert set(found) == set(wanted)
    for key, values in wanted.items():
        assert found[key] == pytest.approx(values, rel=2e-3, abs=2e-3), key
