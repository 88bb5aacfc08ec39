"""Valid studies with everything that a study may have, and the files that they name."""

import tomllib

DEVICE = """
title = "everything"
[units]
length = "um"
strength = "uA*um"
[film]
shape = "rectangle"
size = [10, 10]
center = [0.0, 0.0]
angle = 0.0
pearl_length = "1 um"
[[film.hole]]
name = "loop"
shape = "disc"
radius = 1.5
fluxoid = 1
[[film.region]]
shape = "disc"
radius = 1.0
center = [3.5, 3.5]
pearl_length = { profile = "1 + 0.2*tanh(x)" }
[temperature]
value = 6.0
critical = 9.2
weight = "clean"
[[impurity]]
position = [3.0, 0.0]
size = "200 nm"
angle = 30
strength = 2.0
[impurities]
size = 0.2
margin = 0.3
[impurities.lattice]
vectors = [[2.5, 0.0], [0.0, 2.5]]
origin = [0.3, 0.2]
[[vortex]]
position = [0.0, 3.0]
size = 0.1
winding = -1
[applied]
field = [0, 0, "0.1 mT"]
[[applied.loop]]
center = [0, 0, 2]
radius = 1.0
current = 50
[[applied.dipole]]
position = [0, 0, 1]
moment = [0, 0, "1e-15 A*m^2"]
[boundary]
kind = "open"
[mesh]
resolution = 1.0
far = 10.0
[solve]
formulation = "both"
degree = 2
tolerance = 1e-3
max_dofs = 1000
[order]
temperatures = [0.1, 1.0]
sweeps = 100
[output]
fields = "vtu"
[[output.probe]]
name = "scan"
kind = "grid"
center = [0, 0]
size = [12, 12]
height = 0.5
samples = [61, 61]
loop_radius = 0.3
[[output.probe]]
name = "line"
kind = "line"
start = [0, 0]
end = [1, 1, 1]
samples = 5
[[output.probe]]
name = "loop"
kind = "loop"
center = [0, 0, 1]
radius = 2
"""
WALLS = """
[film]
shape = "difference"
base = { shape = "union", parts = [{ shape = "ring", inner = 1, outer = 2 }, \
{ shape = "polygon", points = [[0, 0], [1, 0], [1, 4], [0, 4]] }] }
removed = [{ shape = "disc", radius = 0.2, center = [0.5, 3.0] }]
pearl_length = { profile = "where(x > 0, 1 + x**2, hypot(1, y))" }
[impurities]
size = 0.05
file = "sites.csv"
[boundary]
kind = "shield"
box = [10.0, 12.0, 4.0]
center = [0.0, 0.0, 0.5]
"""
LATTICE = """
[film]
shape = "plane"
pearl_length = 1.0
[[impurity]]
position = [0.1, 0.1]
size = 0.1
[boundary]
kind = "periodic"
cell = [[1.0, 0.0], [0.5, 1.0]]
"""
DRAWN = """
[film]
shape = "mesh"
file = "film.msh"
group = "film"
pearl_length = 1.0
[impurities]
size = 0.0
[impurities.random]
number = 5
seed = 1
spacing = 0.05
"""
FILES = {
    "sites.csv": "x,y,angle,size\n0.5,1.5,30,0.1\n0.5,2.5,0,0.05\n",
    "film.msh": """$MeshFormat
2.2 0 8
$EndMeshFormat
$PhysicalNames
1
2 1 "film"
$EndPhysicalNames
$Nodes
4
1 0 0 0
2 2 0 0
3 2 2 0
4 0 2 0
$EndNodes
$Elements
2
1 2 2 1 1 1 2 3
2 2 2 1 1 1 3 4
$EndElements
""",
    "film.dxf": "0 SECTION 2 ENTITIES 0 CIRCLE 8 film 10 0 20 0 40 1 0 ENDSEC 0 EOF".replace(
        " ", "\n"
    ),
}
BASES = [tomllib.loads(text) for text in (DEVICE, WALLS, LATTICE, DRAWN)]
