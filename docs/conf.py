"""How Sphinx builds the documentation, at the root of the repository.

python -m sphinx -W --keep-going docs site             all of it, about two minutes
python -m sphinx -W --keep-going -t quick docs site    without the functions, a few seconds
"""

import sys
from importlib import metadata
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

import generated

project = html_title = "vsh_eval"
author = "The vsh_eval developers"
release = metadata.version("vsh-eval")
extensions = ["myst_parser", "sphinx.ext.autodoc", "numpydoc"]

html_theme = "furo"
html_copy_source = html_show_sourcelink = html_show_sphinx = False
html_theme_options = {"light_css_variables": {"font-stack": "system-ui, sans-serif"}}
html_css_files = ["wide.css"]
html_js_files = ["reach.js"]
html_static_path = ["static"]

myst_heading_anchors = 3
autodoc_member_order = "bysource"
autodoc_default_options = {"members": True, "ignore-module-all": True}
autodoc_mock_imports = ["pyspark"]
numpydoc_show_class_members = False
default_role = "code"


def setup(app: Any) -> None:
    """Fill the pages whose facts stand in the code."""
    app.connect("source-read", generated.fill)
    if app.tags.has("quick"):
        app.config.exclude_patterns.append("reference/api/*")
        app.config.suppress_warnings.append("toc.excluded")
