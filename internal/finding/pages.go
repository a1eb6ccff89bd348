package finding

// Pages is where the pages of the documentation are, for hints: whoever reads one
// may have nothing but the program.
const Pages = "https://github.com/sightline-mesh/sightline/blob/main/docs/"
