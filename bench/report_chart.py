"""Takes charts out of a page that `rlhf report` wrote, each as an SVG file of its own.

    python3 bench/report_chart.py PAGE FOLDER TITLE=NAME...

The figure is embedded as it stands, with the page's style sheet: light and dark are the reader's.
"""

import pathlib
import re
import sys

WIDTH, HEIGHT = 720, 380


def chart(page, title):
    figures = re.findall(r'<figure class="chart">.*?</figure>', page, re.DOTALL)
    found = [f for f in figures if f.startswith(f'<figure class="chart"><figcaption>{title}<')]
    if not found:
        sys.exit(f"report_chart.py: [{title}] expected a chart of that title, found none")
    style = re.search(r"<style>(.*?)</style>", page, re.DOTALL)[1]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}">\n'
        f"<style><![CDATA[{style}]]></style>\n"
        f'<foreignObject width="{WIDTH}" height="{HEIGHT}">'
        f'<body xmlns="http://www.w3.org/1999/xhtml">'
        + found[0].replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ')
        + "</body></foreignObject></svg>\n"
    )


def main():
    page = pathlib.Path(sys.argv[1]).read_text()
    for wanted in sys.argv[3:]:
        title, name = wanted.split("=")
        path = pathlib.Path(sys.argv[2]) / f"{name}.svg"
        path.write_text(chart(page, title))
        print(f"wrote {path}")


main()
