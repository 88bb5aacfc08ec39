"""stub"""
import shapely
from pearlfem.errors import StudyError
def checked_polygon(points, holes=(), name="polygon"):
    p = shapely.Polygon(points, holes)
    if not p.is_valid or p.area == 0:
        raise StudyError(f"{name}: {shapely.is_valid_reason(p)}")
    return p
def joined(polygons, name):
    u = shapely.union_all(polygons)
    return shapely.MultiPolygon([p for p in shapely.get_parts(u)])
