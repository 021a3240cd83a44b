# SPDX-License-Identifier: Apache-2.0
"""The networks of the released system as pure modules: params dataclass -> factory -> module.

Does not know files, devices, head models or losses: only torch.
"""
