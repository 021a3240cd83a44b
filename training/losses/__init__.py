# SPDX-License-Identifier: Apache-2.0
"""The objectives of the paper's section 3.4 and 4.1, each with its released variant.

Does not know networks that are trained, optimizers or data.
"""
