"""A and B of a triangle with a quadratic sheet current, in closed form.

With K(r') on a triangle in the plane z = 0 and μ0 = 1,

    A(r) = (1/4π) ∫ K/R dS',    B(r) = (1/4π) ∫ K × (r − r')/R³ dS',    R = |r − r'|.

Let (u, v) be the coordinates of r' relative to the foot of r, so R² = u² + v² + z². With

    P_ab = ∫ u^a v^b/R dS',    S_ab = ∫ u^a v^b/R³ dS',

the divergence theorem with ∂R/∂u = u/R and ∂(1/R)/∂u = −u/R³ leaves integrals along the edges,
and z S_00 = ±Ω, the solid angle of the triangle. On an edge at the signed distance d from the foot,
with the outward normal n, the direction t and the coordinate s along it, (u, v) = d n + s t, and
the integrals of s^k/R and s^k R are elementary.

References:
    A. van Oosterom, J. Strackee, IEEE Trans. Biomed. Eng. 30, 125 (1983).
    D. R. Wilton et al., IEEE Trans. Antennas Propag. 32, 276 (1984).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from pearlfem.quantities.arrays import Array

# Distance from an edge that counts as zero, in units of its length: both triangles at an edge then
# have the same logarithm, and it cancels where K is continuous.
_ON_EDGE = 1e-9
# (a, b) of the monomials u^a v^b of a quadratic function.
MONOMIALS = ((0, 0), (1, 0), (0, 1), (2, 0), (1, 1), (0, 2))


class Panels(NamedTuple):
    """n triangles in one plane, with a quadratic K on each.

    Args:
        corners: Their corners (x, y) counterclockwise [length], ``(n, 3, 2)``.
        centres: Their centres [length], ``(n, 2)``.
        coefficients: K as a polynomial of the offset from the centre, for ``MONOMIALS``,
            ``(n, 6, 2)``.
    """

    corners: Array
    centres: Array
    coefficients: Array


def quadratic_panels(nodes: Array, values: Array) -> Panels:
    """Return panels from values at nodes.

    Args:
        nodes: Corners, then midpoints of the sides opposite to them [length], ``(n, 6, 2)``.
        values: K there, ``(n, 6, 2)``.
    """
    corners = nodes[:, :3].copy()
    sides = corners[:, 1:] - corners[:, :1]
    clockwise = np.linalg.det(sides) < 0
    corners[clockwise] = corners[clockwise][:, ::-1]
    centres = corners.mean(axis=1)
    size = np.abs(sides).max(axis=(1, 2))[:, None]
    x, y = np.moveaxis((nodes - centres[:, None]) / size[..., None], -1, 0)
    vandermonde = np.stack([x**a * y**b for a, b in MONOMIALS], axis=-1)
    scaled = np.linalg.solve(vandermonde, values)
    powers = np.array([a + b for a, b in MONOMIALS])
    return Panels(corners, centres, scaled / (size**powers)[..., None])


def vector_potential(panels: Panels, offsets: Array) -> Array:
    """Return A of each panel at one point each [flux per length], shape ``(n, 3)``.

    Args:
        panels: n panels.
        offsets: The points relative to the centres of the panels (x, y, z), ``(n, 3)``.
    """
    edges, z = _edges(panels, offsets), offsets[:, 2]
    P_00 = edges.ring(edges.d * edges.J[0]) - np.abs(z) * edges.solid_angle
    d, R_0, R_1 = edges.d, *edges.R
    # u R and v R along the edges, and ∫ R dS'
    u_R, v_R = edges.linear(R_0, R_1)
    R_00 = (edges.ring(d * R_0) + z**2 * P_00) / 3
    n_u, n_v = edges.n
    moments = [
        P_00,
        edges.ring(n_u * R_0),
        edges.ring(n_v * R_0),
        edges.ring(n_u * u_R) - R_00,
        edges.ring(n_u * v_R),
        edges.ring(n_v * v_R) - R_00,
    ]
    A = np.einsum("kn,nkx->nx", moments, _moved(panels.coefficients, offsets)) / (4 * np.pi)
    return np.column_stack([A, np.zeros(len(A))])


def flux_density(panels: Panels, offsets: Array) -> Array:
    """Return B of each panel at one point each [flux per area]: on a panel, the limit from above.

    Args:
        panels: n panels.
        offsets: The points relative to the centres of the panels (x, y, z), ``(n, 3)``.

    Returns:
        Array of shape ``(n, 3)``.
    """
    edges, z = _edges(panels, offsets), offsets[:, 2]
    J_0, J_1, J_2 = edges.J
    n_u, n_v = edges.n
    z_S_00 = np.where(z < 0, -1.0, 1.0) * edges.solid_angle
    P_00 = edges.ring(edges.d * J_0) - np.abs(z) * edges.solid_angle
    P_10, P_01 = edges.ring(n_u * edges.R[0]), edges.ring(n_v * edges.R[0])
    u, v = edges.linear(J_0, J_1)  # integrals of u/R and v/R along the edges
    uu, uv, vv = edges.quadratic(J_0, J_1, J_2)
    S_10, S_01 = -edges.ring(n_u * J_0), -edges.ring(n_v * J_0)
    S_20, S_11 = P_00 - edges.ring(n_u * u), -edges.ring(n_u * v)
    S_02 = P_00 - edges.ring(n_v * v)
    S_30, S_21 = 2 * P_10 - edges.ring(n_u * uu), P_01 - edges.ring(n_u * uv)
    S_12, S_03 = -edges.ring(n_u * vv), 2 * P_01 - edges.ring(n_v * vv)
    K = _moved(panels.coefficients, offsets)
    flat = np.einsum("kn,nkx->nx", [z_S_00, z * S_10, z * S_01, z * S_20, z * S_11, z * S_02], K)
    along_u = np.einsum("kn,nk->n", [S_10, S_20, S_11, S_30, S_21, S_12], K[..., 1])
    along_v = np.einsum("kn,nk->n", [S_01, S_11, S_02, S_21, S_12, S_03], K[..., 0])
    return np.column_stack([flat[:, 1], -flat[:, 0], along_u - along_v]) / (4 * np.pi)


class _Edges(NamedTuple):
    """Integrals along the three edges of n triangles.

    Args:
        n: Outward normals n_u and n_v, ``(n, 3)`` each.
        t: Directions t_u and t_v, ``(n, 3)`` each.
        d: Signed distance of each edge from the foot, ``(n, 3)``.
        J: Integrals of 1/R, s/R and s²/R, ``(n, 3)`` each.
        R: Integrals of R and s R, ``(n, 3)`` each.
        solid_angle: Ω ≥ 0, ``(n,)``.
    """

    n: Array
    t: Array
    d: Array
    J: tuple[Array, Array, Array]
    R: tuple[Array, Array]
    solid_angle: Array

    @staticmethod
    def ring(values: Array) -> Array:
        """Return the sum over the edges of each triangle."""
        return np.asarray(values.sum(axis=1))

    def linear(self, I_0: Array, I_1: Array) -> tuple[Array, Array]:
        """Return the integrals of u and v times f from those of f and s f."""
        u, v = self.d * self.n * I_0 + self.t * I_1
        return u, v

    def quadratic(self, I_0: Array, I_1: Array, I_2: Array) -> tuple[Array, Array, Array]:
        """Return the integrals of u², uv and v² times f from those of f, s f and s² f."""
        (u_0, v_0), (u_1, v_1) = self.d * self.n, self.t
        return (
            u_0**2 * I_0 + 2 * u_0 * u_1 * I_1 + u_1**2 * I_2,
            u_0 * v_0 * I_0 + (u_0 * v_1 + u_1 * v_0) * I_1 + u_1 * v_1 * I_2,
            v_0**2 * I_0 + 2 * v_0 * v_1 * I_1 + v_1**2 * I_2,
        )


def _edges(panels: Panels, offsets: Array) -> _Edges:
    """Return the integrals along the edges of panels; see ``flux_density``."""
    z = offsets[:, 2:]
    starts = panels.corners - panels.centres[:, None] - offsets[:, None, :2]
    sides = np.roll(starts, -1, axis=1) - starts
    lengths = np.linalg.norm(sides, axis=2)
    t = np.moveaxis(sides / lengths[..., None], 2, 0)
    n = np.stack([t[1], -t[0]])
    u, v = np.moveaxis(starts, 2, 0)
    d, s = u * n[0] + v * n[1], u * t[0] + v * t[1]
    end = s + lengths
    h_squared = d**2 + z**2 + (_ON_EDGE * lengths) ** 2
    R_start, R_end = np.sqrt(s**2 + h_squared), np.sqrt(end**2 + h_squared)
    # asinh(end/h) − asinh(s/h), without cancellation on either side of the foot
    behind = end + s < 0
    near, far = np.where(behind, -end, s), np.where(behind, -s, end)
    R_near, R_far = np.where(behind, R_end, R_start), np.where(behind, R_start, R_end)
    J_0, rest = np.log(R_far + far), np.log(R_near + np.abs(near))
    J_0 += np.where(near < 0, rest - np.log(h_squared), -rest)
    J_1 = R_end - R_start
    R_0 = (end * R_end - s * R_start + h_squared * J_0) / 2
    J_2 = R_0 - h_squared * J_0
    R_1 = (R_end**3 - R_start**3) / 3
    return _Edges(n, t, d, (J_0, J_1, J_2), (R_0, R_1), _solid_angle(starts, z[:, 0]))


def _solid_angle(corners: Array, z: Array) -> Array:
    """Return |Ω| of triangles; 2π at a point of the triangle itself, ``(n,)``."""
    a, b, c = np.concatenate(
        [corners, np.broadcast_to(np.abs(z)[:, None, None], (*corners.shape[:2], 1))], axis=2
    ).transpose(1, 0, 2)
    r_a, r_b, r_c = (np.linalg.norm(p, axis=1) for p in (a, b, c))
    volume = np.abs(np.einsum("nx,nx->n", a, np.cross(b, c)))
    cosines = r_a * r_b * r_c + r_c * np.einsum("nx,nx->n", a, b)
    cosines += r_a * np.einsum("nx,nx->n", b, c) + r_b * np.einsum("nx,nx->n", c, a)
    return np.asarray(2 * np.arctan2(volume, cosines))


def _moved(coefficients: Array, offsets: Array) -> Array:
    """Return polynomials of the offset from the centre as polynomials of (u, v), ``(n, 6, 2)``."""
    x, y = offsets[:, :2].T[..., None]
    c_00, c_10, c_01, c_20, c_11, c_02 = np.moveaxis(coefficients, 1, 0)
    return np.stack(
        [
            c_00 + c_10 * x + c_01 * y + c_20 * x**2 + c_11 * x * y + c_02 * y**2,
            c_10 + 2 * c_20 * x + c_11 * y,
            c_01 + 2 * c_02 * y + c_11 * x,
            c_20,
            c_11,
            c_02,
        ],
        axis=1,
    )
