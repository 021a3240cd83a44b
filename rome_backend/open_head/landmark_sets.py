# SPDX-License-Identifier: Apache-2.0
"""Which of MediaPipe's landmarks form lips, lids and chin: facts about its face mesh.

Does not know positions.
"""

from __future__ import annotations

UPPER_LIP_ROWS = (
    (61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291),
    (76, 184, 74, 73, 72, 11, 302, 303, 304, 408, 306),
    (62, 183, 42, 41, 38, 12, 268, 271, 272, 407, 292),
    (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308),
)
LOWER_LIP_ROWS = (
    (146, 91, 181, 84, 17, 314, 405, 321, 375),
    (77, 90, 180, 85, 16, 315, 404, 320, 307),
    (96, 89, 179, 86, 15, 316, 403, 319, 325),
    (95, 88, 178, 87, 14, 317, 402, 318, 324),
)
# The inner edges of both lips, upper and lower, from the middle outwards.
INNER_LIP_PAIRS = (
    (13, 14), (312, 317), (311, 402), (310, 318), (415, 324),
    (82, 87), (81, 178), (80, 88), (191, 95),
)  # fmt: skip
UPPER_LIP = tuple(k for row in UPPER_LIP_ROWS for k in row)
LOWER_LIP = tuple(k for row in LOWER_LIP_ROWS for k in row)
MOUTH_CORNERS = (61, 76, 62, 78, 291, 306, 292, 308)
BESIDE_CORNERS = (43, 273, 57, 287, 186, 410)
BELOW_NOSE = (2, 97, 326, 164, 165, 391, 92, 322, 167, 393)
CHIN = (
    200, 199, 175, 152, 18, 83, 313, 182, 406, 201, 421, 208, 428, 171, 396, 148, 377, 32, 262,
    194, 418, 106, 335, 43, 273, 140, 369, 204, 424, 211, 431, 176, 400,
)  # fmt: skip
# The subject's left eye, from the outer to the inner corner.
LEFT_UPPER_LID = (466, 388, 387, 386, 385, 384, 398)
LEFT_LOWER_LID = (249, 390, 373, 374, 380, 381, 382)
LEFT_EYE_CORNERS = (263, 362)
RIGHT_UPPER_LID = (246, 161, 160, 159, 158, 157, 173)
RIGHT_LOWER_LID = (7, 163, 144, 145, 153, 154, 155)
RIGHT_EYE_CORNERS = (33, 133)
# Centre of the iris, then its rim towards +X, +Y, -X, -Y.
RIGHT_IRIS = (468, 469, 470, 471, 472)
LEFT_IRIS = (473, 474, 475, 476, 477)
