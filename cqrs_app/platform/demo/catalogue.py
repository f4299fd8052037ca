"""Products, customers and places of the demo shop: fictitious, from fixed lists."""

from __future__ import annotations

from decimal import Decimal

PRODUCTS = tuple(
    (sku, name, Decimal(price))
    for sku, name, price in (
        ("LMP-010", "Brass reading lamp", "64.00"),
        ("LMP-022", "Paper table lantern", "18.50"),
        ("MUG-101", "Stoneware mug, slate", "11.95"),
        ("MUG-104", "Stoneware mug, oat", "11.95"),
        ("TEA-007", "Cast iron teapot, 0.8 l", "49.90"),
        ("BWL-310", "Serving bowl, ash wood", "38.25"),
        ("CLK-002", "Wall clock, birch", "72.00"),
        ("RUG-450", "Wool runner, 60 x 180 cm", "129.00"),
        ("CSH-201", "Linen cushion cover", "24.75"),
        ("CND-031", "Beeswax candles, set of six", "15.40"),
        ("BRD-015", "Bread board with handle", "29.00"),
        ("KNF-003", "Paring knife, carbon steel", "34.60"),
        ("PLN-120", "Weekly planner, undated", "12.20"),
        ("PEN-008", "Brass ballpoint pen", "21.00"),
        ("BAG-044", "Canvas market bag", "16.80"),
        ("UMB-001", "Folding umbrella, wind-proof", "42.50"),
        ("SCF-051", "Silk scarf, hand-rolled", "38.51"),
        ("GFT-999", "Gift wrapping", "3.50"),
        ("STK-555", "Paper stickers, per sheet", "0.0125"),
    )
)

CHARGES = frozenset({"GFT-999"})
"""Products without stock."""

FIRST_NAMES = [
    "Amelia",
    "Bruno",
    "Carla",
    "Dario",
    "Elif",
    "Farid",
    "Greta",
    "Hugo",
    "Ines",
    "Jonas",
    "Katya",
    "Liam",
    "Maren",
    "Noor",
    "Otto",
    "Priya",
    "Quentin",
    "Rosa",
    "Samir",
    "Tilda",
    "Ugo",
    "Vera",
    "Wanda",
    "Yusuf",
    "Zoe",
]
LAST_NAMES = [
    "Abel",
    "Brandt",
    "Castell",
    "Duarte",
    "Eklund",
    "Fischer",
    "Grau",
    "Holm",
    "Ibarra",
    "Jansen",
    "Kowal",
    "Lindt",
    "Marek",
    "Novak",
    "Olsen",
    "Petit",
    "Quist",
    "Ruiz",
    "Sato",
    "Tamm",
    "Urban",
    "Vidal",
    "Weiss",
    "Young",
    "Zeller",
]

PLACES = (
    ("Germany", "Leipzig", "04109", "Gartenweg"),
    ("Germany", "Bremen", "28195", "Am Deich"),
    ("France", "Lyon", "69002", "Rue des Tilleuls"),
    ("France", "Nantes", "44000", "Quai du Moulin"),
    ("Netherlands", "Utrecht", "3511 AB", "Lindegracht"),
    ("Spain", "Valencia", "46001", "Calle del Olivo"),
    ("Denmark", "Aarhus", "8000", "Birkevej"),
    ("Austria", "Graz", "8010", "Wiesengasse"),
    ("Italy", "Bologna", "40121", "Via delle Rose"),
    ("Ireland", "Cork", "T12 X2Y3", "Mill Lane"),
)

CARRIERS = ("DHL", "DPD", "GLS", "UPS")
