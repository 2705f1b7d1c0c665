"""A thousand documents of a business, made the same way each time, and fifty questions in other words than the texts'."""

# ruff: noqa: E501, SIM905 - texts read better on one line

from __future__ import annotations

from dataclasses import dataclass

CITIES = (
    "Madrid Barcelona Valencia Seville Bilbao Málaga Zaragoza Lisbon Porto Braga Coimbra Faro Paris Lyon Marseille Toulouse Nice Nantes Berlin Hamburg"
    " Munich Cologne Frankfurt Leipzig Rome Milan Naples Turin Bologna Florence Vienna Graz Zürich Geneva Basel Brussels Antwerp Amsterdam Rotterdam Utrecht"
).split()
PRODUCTS = (
    "kettle toaster blender mixer grinder juicer freezer oven microwave dishwasher vacuum iron fan heater humidifier dehumidifier lamp router printer scanner"
    " keyboard monitor headset speaker camera tripod drone tablet charger battery backpack suitcase umbrella jacket sneakers sandals scarf gloves watch bracelet"
).split()
BRANDS = "Alder Birch Cedar Elm Fir Hazel Ivy Juniper Larch Maple Oak Pine Rowan Spruce Willow".split()
DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday".split()
FILLER = (
    "We are happy to help you in every branch and on every channel. Our team answers on working days.",
    "Please keep your receipt. Our general terms apply to every purchase and can be read on our website.",
    "Customers tell us that they value quick answers and honest advice; that is what we try to give.",
)


@dataclass(frozen=True)
class Document:
    """A title and a Markdown text."""

    title: str
    text: str


def documents() -> list[Document]:
    """All of them: branches, products, service, policies."""
    made = [_branch(number, city) for number, city in enumerate(CITIES)]
    made += [_product(number, brand, product) for number, (brand, product) in enumerate((b, p) for b in BRANDS for p in PRODUCTS)]
    made += [_repair(number, product) for number, product in enumerate(PRODUCTS)]
    made += [_delivery(number, city) for number, city in enumerate(CITIES)]
    made += [_job(number, city) for number, city in enumerate(CITIES)]
    made += POLICIES
    made += [
        Document(f"News {number}", f"# News {number}\n\n{FILLER[number % 3]} Edition {number} of our letter.")
        for number in range(1_000 - len(made))
    ]
    assert len(made) == 1_000, len(made)
    return made


def _branch(number: int, city: str) -> Document:
    closed = DAYS[number % 6]
    return Document(
        f"Branch {city}",
        f"# Branch {city}\n\n{FILLER[number % 3]}\n\n## Opening hours\n\nThe shop in {city} opens at {8 + number % 3}:{(number * 5) % 60:02} and closes at"
        f" {18 + number % 4}:00. On {closed} it stays closed.\n\n## How to find us\n\nFrom the station take bus {100 + number} to the stop Market Square."
        f" There are {3 + number} parking spaces behind the building, free for two hours.",
    )


def _product(number: int, brand: str, product: str) -> Document:
    return Document(
        f"{brand} {product}",
        f"# {brand} {product}\n\nThe {product} of the series {brand} costs {19 + number % 240}.90 euros and weighs {300 + number * 7} grams. It comes in"
        f" {('black', 'white', 'red', 'green', 'blue')[number % 5]}.\n\n## Care\n\nClean it with a damp cloth. {FILLER[number % 3]}\n\n## Guarantee\n\nThe maker"
        f" guarantees it for {12 + (number % 5) * 6} months.",
    )


def _repair(number: int, product: str) -> Document:
    return Document(
        f"Repairing a {product}",
        f"# Repairs: {product}\n\nBring a broken {product} to any branch. Mending it takes about {2 + number % 12} working days and the estimate costs"
        f" {5 + number % 20} euros, which are deducted from the bill. Spare parts for a {product} are kept for {4 + number % 7} years.",
    )


def _delivery(number: int, city: str) -> Document:
    return Document(
        f"Shipping to {city}",
        f"# Shipping to {city}\n\nParcels to {city} arrive within {1 + number % 6} days and cost {3 + number % 8}.50 euros. Orders above {40 + number * 2} euros"
        f" are shipped free of charge. The courier in {city} delivers until {17 + number % 5}:00.",
    )


def _job(number: int, city: str) -> Document:
    return Document(
        f"Working in {city}",
        f"# Vacancies in {city}\n\nIn {city} we look for {1 + number % 4} sales assistants. The wage is {13 + number % 6} euros an hour. Send your CV with the"
        f" reference {city[:3].upper()}-{2000 + number}.",
    )


POLICIES = [
    Document(
        "Returns",
        "# Returning goods\n\nUnused goods may be sent back within 30 days. Refunds are paid to the original card within five working days.",
    ),
    Document(
        "Gift cards", "# Gift vouchers\n\nVouchers are valid for three years and cannot be exchanged for cash. Lost ones are not replaced."
    ),
    Document(
        "Payment", "# Ways to pay\n\nWe take Visa, Mastercard, bank transfer and instalments over six months without interest. No cheques."
    ),
    Document(
        "Privacy",
        "# Personal data\n\nAddresses are deleted two years after the last purchase. Write to the data protection officer to have them erased.",
    ),
    Document(
        "Student discount", "# Reductions for students\n\nStudents get ten percent off with a valid card. It cannot be combined with sales."
    ),
    Document("Complaints", "# Complaints\n\nComplaints are answered by the ombudsman within 48 hours. Her name is Greta Lindqvist."),
    Document(
        "Recycling",
        "# Old appliances\n\nWe take back old appliances free of charge when a new one is delivered, batteries and lamps at any counter.",
    ),
    Document("Loyalty club", "# Loyalty club\n\nMembers collect one point per euro. Two hundred points are worth a coupon of five euros."),
    Document("Pets", "# Animals\n\nDogs on a leash are welcome in our shops, except in the café."),
    Document("Wifi", "# Internet in the shops\n\nThe wireless network is called SHOP-GUEST and the password is on the receipt."),
    Document("Lost property", "# Lost and found\n\nWhat was left behind is kept at the counter for four weeks and then given to charity."),
    Document("Wholesale", "# Business customers\n\nCompanies that buy more than fifty pieces get an invoice with 45 days to pay."),
    Document("Holidays", "# Public holidays\n\nAll branches are closed on Christmas Day, New Year's Day and the first of May."),
    Document(
        "Horario de atención",
        "# Atención telefónica\n\nNuestro teléfono atiende de lunes a viernes, de nueve a siete. Los envíos urgentes se preparan el mismo día.",
    ),
    Document("営業案内", "# 返品について\n\n商品は到着後十四日以内であれば返品できます。送料はお客様のご負担となります。"),
    Document("सहायता", "# मरम्मत सेवा\n\nखराब सामान की मरम्मत सात दिनों में हो जाती है। रसीद साथ लाएँ।"),
    Document("الدعم", "# سياسة الاستبدال\n\nيمكن استبدال المنتجات خلال عشرين يوما مع الفاتورة الأصلية."),
]

QUESTIONS: list[tuple[str, str]] = [
    ("Hi! What time do you open in Sevilla? I mean the Seville shop", "Branch Seville"),
    ("which day is the porto store closed?", "Branch Porto"),
    ("Where can I park at your Lyon branch?", "Branch Lyon"),
    ("what bus goes to the Hamburg shop", "Branch Hamburg"),
    ("is the malaga branch open late?", "Branch Málaga"),
    ("Until when is the shop in Zurich open", "Branch Zürich"),
    ("opening hours Bologna please", "Branch Bologna"),
    ("Could you tell me how to get to your Antwerp store from the station?", "Branch Antwerp"),
    ("how much is the Cedar blender", "Cedar blender"),
    ("What's the price of a Maple suitcase?", "Maple suitcase"),
    ("guarantee of willow headset?", "Willow headset"),
    ("how heavy is the Oak drone", "Oak drone"),
    ("which color does the Hazel kettle come in", "Hazel kettle"),
    ("I want to buy the juniper jacket, what does it cost", "Juniper jacket"),
    ("Do I get a warranty/guarantee on the Pine dishwasher and for how long?", "Pine dishwasher"),
    ("weight of Birch tripod", "Birch tripod"),
    ("Rowan sneakers cost?", "Rowan sneakers"),
    ("my toaster is broken, how long does a repair take", "Repairing a toaster"),
    ("do you still have spare parts for the scanner", "Repairing a scanner"),
    ("what does an estimate for repairing a camera cost?", "Repairing a camera"),
    ("Can you mend my umbrella", "Repairing a umbrella"),
    ("repair time vacuum", "Repairing a vacuum"),
    ("how many days does shipping to Vienna take?", "Shipping to Vienna"),
    ("Is delivery to Nantes free?", "Shipping to Nantes"),
    ("parcel costs for Leipzig", "Shipping to Leipzig"),
    ("Until what hour does the courier deliver in Turin?", "Shipping to Turin"),
    ("from what amount is shipping to Faro free of charge", "Shipping to Faro"),
    ("are there vacancies in Utrecht", "Working in Utrecht"),
    ("What is the hourly wage in Geneva?", "Working in Geneva"),
    ("I'd like to work as sales assistant in Naples", "Working in Naples"),
    ("Within how many days can I send goods back?", "Returns"),
    ("when do i get my refund", "Returns"),
    ("How long is a gift voucher valid?", "Gift cards"),
    ("I lost my voucher", "Gift cards"),
    ("can I pay in instalments?", "Payment"),
    ("do you accept mastercard", "Payment"),
    ("Please erase my personal data", "Privacy"),
    ("is there a discount for students?", "Student discount"),
    ("I want to complain! Who is the ombudsman?", "Complaints"),
    ("do you take back my old appliances", "Recycling"),
    ("How many points are worth a coupon?", "Loyalty club"),
    ("may I bring my dog", "Pets"),
    ("what's the wireless password", "Wifi"),
    ("I left my phone behind in your shop, is it at lost and found?", "Lost property"),
    ("we are a company and need an invoice", "Wholesale"),
    ("Are you open on Christmas?", "Holidays"),
    ("¿cuándo atiende el teléfono?", "Horario de atención"),
    ("返品できますか", "営業案内"),
    ("मरम्मत में कितने दिन लगते हैं?", "सहायता"),
    ("كم يوما عندي للاستبدال؟ استبدال المنتجات", "الدعم"),
]
"""Question, and the title of the document that answers it."""
