"""A build folder with one function and one layer, both empty."""

TEMPLATE = """
Parameters:
  Quorum: {Type: Number, Default: 0.5}
  Size: {Type: Number, Default: 1024}
Globals:
  Function:
    Handler: app.lambda_handler
    Environment: {Variables: {SHARED: both, STYLE: object}}
Resources:
  FirstLayer:
    Type: AWS::Serverless::LayerVersion
    Properties: {ContentUri: FirstLayer}
  AcsImageMultiClassFunction:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: AcsImageMultiClassFunction
      Layers: [{Ref: FirstLayer}]
      Timeout: 30
      MemorySize: {Ref: Size}
      Environment: {Variables: {QUORUM: {Ref: Quorum}, STYLE: builtin}}
    Metadata: {SamResourceId: AcsImageMultiClassFunction}
"""


def make_build(folder):
    """Lay the build out in a folder, which may be new."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "template.yaml").write_text(TEMPLATE)
    (folder / "FirstLayer").mkdir()
    (folder / "AcsImageMultiClassFunction").mkdir()
    return folder
