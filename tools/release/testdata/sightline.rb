class Sightline < Formula
  desc "Render and check what Kiali needs in a multi-cluster mesh"
  homepage "https://github.com/sightline-mesh/sightline"
  version "1.2.3"
  license "Apache-2.0"

  on_linux do
    on_arm do
      url "https://github.com/sightline-mesh/sightline/releases/download/v1.2.3/sightline_v1.2.3_linux_arm64.tar.gz"
      sha256 "0000000000000000000000000000000000000000000000000000000000000000"
    end
    on_intel do
      url "https://github.com/sightline-mesh/sightline/releases/download/v1.2.3/sightline_v1.2.3_linux_amd64.tar.gz"
      sha256 "0000000000000000000000000000000000000000000000000000000000000000"
    end
  end

  on_macos do
    on_arm do
      url "https://github.com/sightline-mesh/sightline/releases/download/v1.2.3/sightline_v1.2.3_darwin_arm64.tar.gz"
      sha256 "0000000000000000000000000000000000000000000000000000000000000000"
    end
    on_intel do
      url "https://github.com/sightline-mesh/sightline/releases/download/v1.2.3/sightline_v1.2.3_darwin_amd64.tar.gz"
      sha256 "0000000000000000000000000000000000000000000000000000000000000000"
    end
  end

  def install
    bin.install "sightline"
    man1.install Dir["man/*.1"]
    bash_completion.install "completions/sightline.bash" => "sightline"
    zsh_completion.install "completions/_sightline"
    fish_completion.install "completions/sightline.fish"
  end

  test do
    assert_match version.to_s, shell_output("#{bin}/sightline version")
  end
end
