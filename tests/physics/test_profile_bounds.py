"""lower ≤ exact ≤ upper where the Pearl length varies smoothly, against integral equations."""

import numpy as np
import pytest
from helpers import case
from references.annulus import Ring

from pearlfem import (
    Dipole,
    Disc,
    Expression,
    Film,
    Fluxoid,
    Hole,
    Impurity,
    MaxwellLondon,
    Region,
    UniformField,
    Vortex,
    create_mesh,
    free_energy,
)

FIELD = UniformField((0.0, 0.0, 1.0))


def bounds(film, sources, degree, resolution, far=10.0):
    """Free energies of both formulations on one mesh, and whether these are guaranteed."""
    mesh = create_mesh(film, sources, resolution=resolution, far=far)
    energies, guaranteed = [], []
    for formulation in ("stream", "vector"):
        problem = MaxwellLondon(film, mesh, degree, formulation)
        energies.append(free_energy(problem.solve(sources)))
        guaranteed.append(problem.guaranteed)
        problem.destroy()
    return *energies, all(guaranteed)


def exact_energy(inner, outer, profile, sources):
    """F = ½ ∫ K·(−a) dS of sources with the symmetry of the ring."""
    ring = Ring(inner, outer, lambda r: Expression(profile)(r, np.zeros_like(r)))
    r, minus_a = ring.r, np.zeros_like(ring.r)
    for source in sources:
        match source:
            case UniformField(field=(_, _, B)):
                minus_a = minus_a - B * r / 2
            case Fluxoid(number=n):
                minus_a = minus_a + n / (2 * np.pi * r)
            case Vortex(size=size, winding=n):
                minus_a = minus_a - n * np.expm1(-(r**2) / (2 * size**2)) / (2 * np.pi * r)
            case Dipole(position=(_, _, z), moment=(_, _, m)):
                minus_a = minus_a - m * r / (4 * np.pi * (r**2 + z**2) ** 1.5)
    return float(np.pi * ring.dr @ (r * (ring.inverse @ minus_a) * minus_a))


def film_of(inner, outer, profile):
    holes = (Hole(Disc(inner), "hole"),) if inner else ()
    return Film(Disc(outer), Expression(profile), holes=holes)


STEEP_RING = "31.7106*exp(4*(x*x + y*y)/4.74**2)"
DIPOLE = Dipole((0.0, 0.0, 0.7), (0.0, 0.0, 3.0))
CASES = [
    # The lower bound was above the upper one, with κ interpolated in each cell.
    case(0.0, 1.0, "5*exp(3.3*(x*x + y*y))", (FIELD,), 2, 0.25, slow=True),
    case(0.0, 1.0, "5*exp(3.3*(x*x + y*y))", (FIELD,), 3, 0.5, slow=True),
    case(3.963, 4.74, STEEP_RING, (FIELD, DIPOLE, Fluxoid("hole")), 3, 0.27, slow=True),
    case(3.963, 4.74, STEEP_RING, (FIELD, DIPOLE), 2, 0.2, slow=True),
    case(0.0, 1.0, "5*exp(4*(x*x + y*y))", (Vortex((0.0, 0.0), 0.1),), 2, 0.25, slow=True),
    case(0.0, 2.0, "0.2 + 0.1*cos(6*hypot(x, y))", (FIELD,), 1, 0.3, slow=True),
    case(0.3, 1.0, "1 + abs(hypot(x, y) - 0.6)", (Fluxoid("hole"), FIELD), 1, 0.3, slow=False),
    case(0.3, 1.0, "where(x*x + y*y < 0.3, 0.2, 3)", (Fluxoid("hole"),), 1, 0.3, slow=True),
]


@pytest.mark.parametrize(("inner", "outer", "profile", "sources", "degree", "resolution"), CASES)
def test_profiles_on_discs_and_rings(inner, outer, profile, sources, degree, resolution):
    film = film_of(inner, outer, profile)
    lower, upper, guaranteed = bounds(film, sources, degree, resolution)
    assert guaranteed
    assert lower <= exact_energy(inner, outer, profile, sources) <= upper


def test_python_function_has_no_guarantee_and_an_expression_has():
    expression = Expression("1 + 0.5*x")
    found = []
    for length in (expression, lambda x, y: 1 + 0.5 * x):
        film = Film(Disc(1.0), length)
        found.append(bounds(film, [Impurity((0.2, 0.1), size=0.3)], 1, 0.2, far=5.0))
    assert found[0][2]
    assert not found[1][2]
    # 1/κ is linear, so the stream formulation has it exactly; κ is interpolated or bounded
    assert found[0][0] == pytest.approx(found[1][0], rel=1e-9)
    assert found[0][1] == pytest.approx(found[1][1], rel=1e-2)


def test_round_region_whose_profile_is_on_both_sides_of_the_film_s():
    # Along its circle, κ of the region is larger on one side and smaller on the other.
    film = Film(Disc(2.0), 1.0, regions=(Region(Disc(1.0), Expression("1 + 0.5*x")),))
    fine = Film(Disc(2.0), Expression("where(x*x + y*y < 1, 1 + 0.5*x, 1)"))
    lower, upper, guaranteed = bounds(film, [FIELD], 2, 0.3)
    assert guaranteed
    other_lower, other_upper, _ = bounds(fine, [FIELD], 1, 0.3)
    assert lower <= upper
    assert lower <= other_upper
    assert other_lower <= upper
