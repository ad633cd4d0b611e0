"""The fixed texts of the built-in upstream, in our own words. Data only: to change what a page says, change it here."""

TEAPOT = r"""
         ___
     .--'   '--.   _
  /\|  teapot   |=(_)
  \/|  no coffee|
     '.________.'
"""

PAY = "This one is not free: pay first, then ask again.\n"

ROBOTS = "User-agent: *\nDisallow: /deny\n"

DENY = r"""
      _________
     /         \
    |  S T O P  |
     \_________/
         | |
   robots.txt asked you to stay away from here
"""

HTML = """<!DOCTYPE html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <title>A page to fetch</title>
  </head>
  <body>
    <h1>The lighthouse and the meter</h1>
    <div>
      <p>
        The keeper counted ships. Each that passed got its stroke in the book, and each stroke was a coin in the tin
        that fed the lamp. On foggy nights the harbour sent ten at once, and he wrote with both hands.
      </p>
      <p>
        One winter he hung a bell beside the book: after the fifth ship in a minute it rang, and the sixth had to wait
        outside the bar. Captains grumbled, the lamp burned evenly, and no ship was ever counted twice.
      </p>
    </div>
  </body>
</html>
"""

XML = """<?xml version="1.0" encoding="us-ascii"?>
<!-- a small deck of slides, to be parsed -->
<slideshow title="How a key opens a gate" date="A quiet afternoon" author="The keeper">
  <slide type="all">
    <title>First a key, then a call</title>
  </slide>
  <slide type="all">
    <title>What you will see</title>
    <item>Why <em>limits</em> keep a service friendly</item>
    <item/>
    <item>Who <em>pays</em> for the sixth call</item>
  </slide>
</slideshow>
"""

SLIDES = {
    "slideshow": {
        "author": "The keeper",
        "date": "a quiet afternoon",
        "slides": [
            {"title": "First a key, then a call", "type": "all"},
            {
                "items": ["Why <em>limits</em> keep a service friendly", "Who <em>pays</em> for the sixth call"],
                "title": "What you will see",
                "type": "all",
            },
        ],
        "title": "How a key opens a gate",
    }
}

UTF8 = """<h1>Many scripts, one encoding</h1>
<p>Each line below is UTF-8; if one looks broken, the way to you broke it.</p>
<pre>
Accents     àéîõü ÅØÆ ßẞ çñ šžč łőű
Greek       Καλημέρα, φάρε — αβγδε ΑΒΓΔΕ
Cyrillic    Маяк считает корабли
Hebrew      המגדלור סופר אוניות
Arabic      المنارة تعد السفن
Hindi       प्रकाशस्तंभ जहाज़ गिनता है
Chinese     灯塔数着船
Japanese    灯台は船を数える
Korean      등대가 배를 센다
Thai        ประภาคารนับเรือ
Maths       ∀n ∃m: n ≤ m, ∑ 1/n² = π²/6, √2 ≠ 1.41, A ⊂ B
Money       € £ ¥ ₹ ₩ ₿
Box         ┌─┬─┐ │▓│░│ └─┴─┘ █▉▊▋▌▍▎▏
Emoji       🔑 🚦 🧾 👩🏽‍💻 (beyond the basic plane, and joined)
Combining   é ä n̂ (letter and mark apart)
</pre>
"""

FORM = """<!DOCTYPE html>
<html lang="en">
  <head><meta charset="utf-8"><title>An order</title></head>
  <body>
    <form method="post" action="/post">
      <p><label>Your name <input name="custname"></label></p>
      <p><label>Phone <input type="tel" name="custtel"></label></p>
      <p><label>Mail <input type="email" name="custemail"></label></p>
      <fieldset>
        <legend>Size of the pizza</legend>
        <label><input type="radio" name="size" value="small"> small</label>
        <label><input type="radio" name="size" value="medium"> medium</label>
        <label><input type="radio" name="size" value="large"> large</label>
      </fieldset>
      <fieldset>
        <legend>On top</legend>
        <label><input type="checkbox" name="topping" value="bacon"> bacon</label>
        <label><input type="checkbox" name="topping" value="cheese"> more cheese</label>
        <label><input type="checkbox" name="topping" value="onion"> onion</label>
        <label><input type="checkbox" name="topping" value="mushroom"> mushroom</label>
      </fieldset>
      <p><label>When <input type="time" name="delivery" min="11:00" max="21:00" step="900"></label></p>
      <p><label>Anything else? <textarea name="comments"></textarea></label></p>
      <p><button>Send it to /post</button></p>
    </form>
  </body>
</html>
"""
