from groundtruth.storage.folder import FolderStore
from groundtruth.storage.s3 import S3Store, open_store


def test_the_environment_names_a_folder(tmp_path):
    store = open_store({"GROUNDTRUTH_STORE_FOLDER": str(tmp_path)})
    assert isinstance(store, FolderStore)
    assert store.folder == tmp_path


def test_without_a_folder_it_is_s3():
    assert isinstance(open_store({}), S3Store)
    assert isinstance(open_store({"GROUNDTRUTH_STORE_FOLDER": ""}), S3Store)
