# SPDX-License-Identifier: Apache-2.0
"""Runs a TensorFlow Lite graph in torch: enough of the format for MediaPipe's small networks.

Knows no particular network, no images and no faces; the operators stand in tflite_ops.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import tflite
import torch
from flatbuffers import flexbuffers
from torch import Tensor

from rome_backend.core.errors import FileInvalid
from rome_backend.tracking.tflite_ops import BUILDERS, Node

_OPERATOR_NAMES = {v: k for k, v in vars(tflite.BuiltinOperator).items() if isinstance(v, int)}
_OPTION_NAMES = {v: k for k, v in vars(tflite.BuiltinOptions).items() if isinstance(v, int)}
_DTYPES = {
    tflite.TensorType.FLOAT32: np.float32,
    tflite.TensorType.FLOAT16: np.float16,
    tflite.TensorType.INT32: np.int32,
}


class TfliteGraph:
    """A loaded graph; call it with an image batch to get its outputs by name.

    Weights are unpacked and every operator is bound once, at construction. Four-dimensional
    activations are kept as NCHW inside; inputs and outputs are NHWC as in the file.

    Attributes:
        input_shape: (N, H, W, C) as stored; N may be any number when calling.
        output_names: names of the outputs in the order of the file.
        options: per custom operator name, the options of each of its nodes in graph order.

    Raises:
        FileInvalid: 'tflite_invalid' when the file is no such graph, 'tflite_operator' when it
            uses an operator or tensor type that is not implemented.

    Source: the TensorFlow Lite schema, as packaged in the ``tflite`` package.
    """

    def __init__(self, path: Path) -> None:
        data = path.read_bytes()
        if len(data) < 8 or not tflite.Model.ModelBufferHasIdentifier(data, 0):
            raise FileInvalid(
                "tflite_invalid",
                f"{path.name} is not a TensorFlow Lite model.",
                "Run `rome assets fetch` to install the model files again.",
            )
        model = tflite.Model.GetRootAs(data, 0)
        graph = model.Subgraphs(0)
        self._name = path.name
        self._constants = self._read_constants(model, graph)
        self.options: dict[str, list[dict[str, Any]]] = {}
        self._steps: list[tuple[Callable[..., Tensor], tuple[int, ...], int]] = []
        for index in range(graph.OperatorsLength()):
            self._add_operator(model, graph, graph.Operators(index))
        self._input = int(graph.Inputs(0))
        self.input_shape = tuple(int(n) for n in graph.Tensors(self._input).ShapeAsNumpy())
        outputs = [int(i) for i in graph.OutputsAsNumpy()]
        self._outputs = {graph.Tensors(i).Name().decode(): i for i in outputs}
        self.output_names = tuple(self._outputs)

    def _read_constants(self, model: Any, graph: Any) -> dict[int, Tensor]:
        constants = {}
        for index in range(graph.TensorsLength()):
            tensor = graph.Tensors(index)
            buffer = model.Buffers(tensor.Buffer())
            if buffer.DataLength() == 0:
                continue
            if tensor.Type() not in _DTYPES or tensor.Sparsity() is not None:
                raise self._unsupported(f"a tensor of type {tensor.Type()} or a sparse tensor")
            shape = tensor.ShapeAsNumpy() if tensor.ShapeLength() else ()
            array = np.frombuffer(buffer.DataAsNumpy().tobytes(), _DTYPES[tensor.Type()])
            constants[index] = torch.from_numpy(array.reshape(shape).copy())
        return constants

    def _unsupported(self, what: str) -> FileInvalid:
        return FileInvalid(
            "tflite_operator",
            f"{self._name} uses {what}, which the tracker cannot run.",
            "Use the model files that `rome assets fetch` installs.",
        )

    def _add_operator(self, model: Any, graph: Any, operator: Any) -> None:
        code = model.OperatorCodes(operator.OpcodeIndex())
        name = _OPERATOR_NAMES[max(code.BuiltinCode(), code.DeprecatedBuiltinCode())]
        if name == "CUSTOM":
            name = code.CustomCode().decode()
        inputs = tuple(int(i) for i in operator.InputsAsNumpy())
        output = int(operator.Outputs(0))
        if name == "DEQUANTIZE" and inputs[0] in self._constants:
            self._constants[output] = self._constants[inputs[0]].float()
            return
        if name not in BUILDERS:
            raise self._unsupported(f"the operator {name}")
        shape = graph.Tensors(output).ShapeAsNumpy()
        node = Node(
            options=self._options(name, operator),
            constants={k: self._constants.get(i) for k, i in enumerate(inputs)},
            output_shape=tuple(int(n) for n in shape),
            input_count=len(inputs),
        )
        try:
            function = BUILDERS[name](node)
        except NotImplementedError as error:
            raise self._unsupported(f"the operator {name} with {error}") from error
        free = tuple(i for i in inputs if i not in self._constants)
        self._steps.append((function, free, output))

    def _options(self, name: str, operator: Any) -> Any:
        if operator.CustomOptionsLength():
            raw = operator.CustomOptionsAsNumpy().tobytes()
            if name == "Convolution2DTransposeBias":
                return {"padding_stride": np.frombuffer(raw, np.int32)}
            found = flexbuffers.Loads(raw)
            self.options.setdefault(name, []).append(found)
            return found
        table = operator.BuiltinOptions()
        if table is None:
            return None
        options = getattr(tflite, _OPTION_NAMES[operator.BuiltinOptionsType()])()
        options.Init(table.Bytes, table.Pos)
        return options

    @torch.inference_mode()
    def __call__(self, image: Tensor) -> dict[str, Tensor]:
        """Run the graph.

        Args:
            image: (N, H, W, C) f32 in the value range that the network was trained on.

        Returns:
            output name -> tensor, NHWC where it has four axes.
        """
        values = {self._input: image.permute(0, 3, 1, 2)}
        for function, inputs, output in self._steps:
            values[output] = function(*[values[i] for i in inputs])
        return {name: channels_last(values[i]) for name, i in self._outputs.items()}


def channels_last(value: Tensor) -> Tensor:
    """Return an NCHW activation as NHWC; tensors without four axes are returned as they are."""
    return value.permute(0, 2, 3, 1) if value.dim() == 4 else value
